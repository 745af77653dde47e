package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

func TestSourceGetsAnUnguessableEndpointInEachEnvironment(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	keys := map[string]bool{}
	for _, environment := range []string{"development", "production"} {
		key := source.Endpoints[environment].Key
		if len(key) < 22 { // 128 bits in base64
			t.Errorf("key %q is too short", key)
		}
		keys[key] = true
		found, known := reader.Snapshot().Endpoint(key)
		if !known || found.SourceID != source.ID || found.Environment != environment || found.DedupWindow != schemas.DefaultWindow {
			t.Errorf("endpoint %s: %+v", environment, found)
		}
	}
	if len(keys) != 2 {
		t.Error("both environments have the same key")
	}
}

func TestCatalogIsReadAgainAfterARestart(t *testing.T) {
	config := newCluster(t)
	_, writer := open(t, config)
	source := newSource(t, writer, "app")
	kept, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.DeleteTrigger(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	reader, _ := open(t, config)
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	snapshot := reader.Snapshot()
	if triggers := snapshot.Triggers(); len(triggers) != 1 || triggers[0].ID != kept.ID || triggers[0].Condition != kept.Condition {
		t.Errorf("triggers: %+v", triggers)
	}
	if again, found := snapshot.Source("app"); !found || again.ID != source.ID || !again.CreatedAt.Equal(source.CreatedAt) {
		t.Errorf("source: %+v", again)
	}
}

func TestTriggersAreFoundByWhatTheyAreBoundTo(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	var ids []string
	for _, event := range []string{"Signed Up", schemas.AnyEvent, "Signed Up", "Other"} {
		made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, event))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	bound := reader.Snapshot().Bound("production", source.ID, "Signed Up")
	if len(bound) != 3 || bound[0].ID != ids[0] || bound[1].ID != ids[2] || bound[2].ID != ids[1] {
		t.Errorf("bound: %v", bound)
	}
	for _, none := range [][2]string{{"development", source.ID}, {"production", "src_other"}} {
		if bound := reader.Snapshot().Bound(none[0], none[1], "Signed Up"); len(bound) != 0 {
			t.Errorf("%v: %v", none, bound)
		}
	}
}

func TestUpdateRaisesTheRevisionAndKeepsTheRest(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	before, err := writer.CreateTrigger(t.Context(), trigger("app", "Signed Up")) // a name stands for the ID
	if err != nil {
		t.Fatal(err)
	}
	after, err := writer.UpdateTrigger(t.Context(), before.ID, func(edited *schemas.Trigger) error {
		edited.Status = schemas.TriggerInactive
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after.Revision != 2 || after.Status != schemas.TriggerInactive || after.SourceID != source.ID || after.Workflow != before.Workflow {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestChangesAtTheSameTimeLoseNothing(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := writer.UpdateTrigger(t.Context(), made.ID, func(edited *schemas.Trigger) error {
				edited.Workflow += "x"
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, _ := reader.Snapshot().Trigger(made.ID); got.Revision != 21 || got.Workflow != "welcome"+strings.Repeat("x", 20) {
		t.Errorf("got %+v", got)
	}
}

func TestInvalidChangesAreRefusedByField(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	refuse := func(field string, err error) {
		t.Helper()
		var invalid *catalog.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("got %v, want a refusal of %s", err, field)
		}
	}
	create := func(change func(*schemas.Trigger)) error {
		wanted := trigger(source.ID, "Signed Up")
		change(&wanted)
		_, err := writer.CreateTrigger(t.Context(), wanted)
		return err
	}
	refuse("environment", create(func(x *schemas.Trigger) { x.Environment = "staging" }))
	refuse("source_id", create(func(x *schemas.Trigger) { x.SourceID = "src_none" }))
	refuse("event", create(func(x *schemas.Trigger) { x.Event = "" }))
	refuse("workflow", create(func(x *schemas.Trigger) { x.Workflow = "a/b" }))
	refuse("status", create(func(x *schemas.Trigger) { x.Status = "asleep" }))
	_, err := writer.CreateSource(t.Context(), schemas.Source{Name: "app"})
	refuse("name", err)
	_, err = writer.CreateSource(t.Context(), schemas.Source{Name: "other", Endpoints: map[string]schemas.Endpoint{
		"production": {Signature: &schemas.Signature{Scheme: schemas.SegmentSignature, SecretRef: "s3cret"}},
	}})
	refuse("endpoints.production.signature.secret", err)
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Error("the refusal repeats what may be a secret")
	}
	if err := writer.DeleteTrigger(t.Context(), "trg_none"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("deleting what is not there: %v", err)
	}
}

func TestRecordThatCannotBeReadLeavesTheOthersAlone(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	source := newSource(t, writer, "app")
	client, err := kgo.NewClient(config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, value := range []string{"{", `{"schema":99}`, `{"schema":1}`} {
		record := &kgo.Record{Topic: config.Topic(schemas.CatalogTopic), Key: fmt.Appendf(nil, "trigger/bad-%d", i), Value: []byte(value)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found := reader.Snapshot().Source(source.ID); !found || len(reader.Snapshot().Triggers()) != 0 {
		t.Error("the catalog changed")
	}
}

func TestWindowIsWrittenAsADurationOrOff(t *testing.T) {
	f := func(text string, want schemas.Window, ok bool) {
		t.Helper()
		var got schemas.Window
		err := json.Unmarshal([]byte(`"`+text+`"`), &got)
		if (err == nil) != ok || got != want {
			t.Errorf("%s: %v, %v", text, time.Duration(got), err)
		}
	}
	f("off", 0, true)
	f("1m", schemas.MinWindow, true)
	f("168h", schemas.MaxWindow, true)
	f("59s", 0, false)
	f("169h", 0, false)
	f("a day", 0, false)
}
