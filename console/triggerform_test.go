package console_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/console"
	"github.com/millrace/millrace/schemas"
)

// TestTriggerSurvivesTheForm opens triggers in the editor and saves them as they are.
func TestTriggerSurvivesTheForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trigger := schemas.Trigger{
			Environment: "production", SourceID: shopID, Workflow: "w", Status: schemas.TriggerActive,
			Event: hardText().Draw(t, "event"), Condition: hardText().Draw(t, "condition"), Name: hardText().Draw(t, "name"), Description: hardText().Draw(t, "description"),
		}
		for name, into := range map[string]*json.RawMessage{
			"recipients": &trigger.Mapping.Recipients, "actor": &trigger.Mapping.Actor, "tenant": &trigger.Mapping.Tenant, "cancellation": &trigger.Mapping.CancellationKey,
		} {
			if rapid.Bool().Draw(t, name+" is there") {
				*into = mappingEntry().Draw(t, name)
			}
		}
		trigger.Mapping.Data = rapid.MapOfN(hardText(), mappingEntry(), 0, 5).Draw(t, "data")
		members, faults := console.ThroughForm(trigger)
		if faults > 0 {
			t.Fatalf("%d faults", faults)
		}
		want := map[string]any{
			"environment": trigger.Environment, "source_id": trigger.SourceID, "workflow": trigger.Workflow, "status": trigger.Status,
			"event": trigger.Event, "condition": trigger.Condition, "name": trigger.Name, "description": trigger.Description, "mapping": trigger.Mapping,
		}
		if got, want := numbersKept(t, members), numbersKept(t, want); !reflect.DeepEqual(got, want) {
			t.Fatalf("saved\n%v, want\n%v", got, want)
		}
	})
}

// hardText draws texts that inputs have trouble with.
func hardText() *rapid.Generator[string] {
	part := rapid.SampledFrom([]string{"a", "data.total", " ", "\n", "\r\n", "\r", "\t", `"`, "'", "<b>", "&amp;", "{", "[1]", "42", "true", "null", `\`, "\x00", "é", "\u00a0", "\ufffd", "\u2028"})
	return rapid.Map(rapid.SliceOfN(part, 0, 6), func(parts []string) string { return strings.Join(parts, "") })
}

// mappingEntry draws entries that compile: paths and expressions are not blank.
func mappingEntry() *rapid.Generator[json.RawMessage] {
	write := func(value any) json.RawMessage {
		raw, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		return raw
	}
	visible := rapid.Map(hardText(), func(text string) string { return text + "x" })
	literals := rapid.OneOf(
		rapid.Map(hardText(), func(text string) json.RawMessage { return write(text) }),
		rapid.SampledFrom([]json.RawMessage{
			json.RawMessage("null"), json.RawMessage("true"), json.RawMessage("1.50"), json.RawMessage("12345678901234567890"), json.RawMessage("1e400"), json.RawMessage("-0"),
			json.RawMessage(`{"id":"a\nb","list":[1,{"x":"\u0000"}]}`), json.RawMessage("[]"), json.RawMessage(`""`),
		}),
	)
	return rapid.OneOf(
		rapid.Map(visible, func(path string) json.RawMessage { return write(path) }),
		rapid.Map(visible, func(source string) json.RawMessage { return write(map[string]string{"expr": source}) }),
		rapid.Map(literals, func(value json.RawMessage) json.RawMessage { return write(map[string]json.RawMessage{"value": value}) }),
	)
}

// numbersKept reads a value as JSON, with numbers digit by digit.
func numbersKept(t interface{ Fatal(args ...any) }, value any) (tree map[string]any) {
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// FuzzTriggerForm reads whatever is posted as the form of a trigger.
func FuzzTriggerForm(f *testing.F) {
	f.Add(`event=x&condition=data.total>1&condition.was="x"&mapping.recipients.kind=literal&mapping.recipients.value=[1&data=chosen&data.key=a&data.value=b`)
	f.Add(`data=chosen&data.key=a&data.key=a&data.kind=expression&data.kind=literal&data.value=1&data.value={"a":1,"a":2}&data.was={"key":"","entry":null}`)
	f.Add(`data=chosen&data.key=&data.kind=path&data.value=b&data.was={"key":"","entry":"b"}&id=%00&revision=-1`)
	f.Fuzz(func(t *testing.T, posted string) {
		values, err := url.ParseQuery(posted)
		if err != nil {
			return
		}
		body, err := console.FormBody(values)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil || members["mapping"] == nil {
			t.Errorf("%s: %v", body, err)
		}
	})
}
