package console

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// ThroughForm is what becomes of a trigger that is opened in the editor and saved as it is, and what is said to be wrong
// with it. A browser sends line breaks as CRLF.
func ThroughForm(trigger schemas.Trigger) (members map[string]any, faults int) {
	form := formOf(trigger)
	sent := url.Values{"id": {form.ID}, "data": {"chosen"}}
	if form.TakesAll {
		sent.Set("data", "all")
	}
	add := func(name, value string) { sent.Add(name, strings.TrimSpace(strings.ReplaceAll(value, "\n", "\r\n"))) }
	for name := range form.Values {
		add(name, form.Value(name))
	}
	for _, input := range form.Inputs {
		add(input.Name+".kind", input.Kind)
		add(input.Name+".value", input.Value)
		add(input.Name+".was", input.Was)
	}
	for _, row := range append(form.Data, mappingRow{Kind: kindPath}) {
		add("data.key", row.Key)
		add("data.kind", row.Kind)
		add("data.value", row.Value)
		add("data.was", row.Was)
	}
	back := formFrom(sent)
	return back.members(), len(back.Faults)
}

// FormBody is what would be saved of a form that was posted.
func FormBody(posted url.Values) ([]byte, error) {
	form := formFrom(posted)
	form.space(0)
	return json.Marshal(form.members())
}
