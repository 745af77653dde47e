package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

func TestSnapshotTellsWhatANewerVersionHasWritten(t *testing.T) {
	config := newCluster(t)
	reader, _ := open(t, config)
	f := func(want ...string) {
		t.Helper()
		if err := reader.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		snapshot := reader.Snapshot()
		if got := snapshot.Foreign(); !slices.Equal(got, want) || (len(snapshot.WaitingFor()) > 0) != (len(want) > 0) {
			t.Errorf("%q, %q", got, snapshot.WaitingFor())
		}
	}
	f()
	produce(t, config, "widget/w1", `{"schema":1,"widget":{"id":"w1"}}`) // a kind that is new needs no version
	produce(t, config, "trigger/broken", `{"schema":`)
	f()
	produce(t, config, "environment/production", `{"schema":2,"environment":{"name":"production"}}`)
	produce(t, config, "replay/rep_1", `{"schema":3}`)
	f("environment/production", "replay/rep_1")
	snapshot := reader.Snapshot()
	if _, known := snapshot.Environment("production"); !known || !snapshot.IsForeignEnvironment("production") || snapshot.IsForeignEnvironment("development") {
		t.Error("what was known of it is gone, or it does not count as foreign")
	}
	if !snapshot.IsForeignReplay("rep_1") || snapshot.IsForeignReplay("rep_2") {
		t.Error("the wrong replays count as foreign")
	}
	produce(t, config, "environment/production", `{"schema":1,"environment":{"name":"production"}}`)
	produce(t, config, "replay/rep_1", "")
	f()
}

// TestSettingThatIsNotKnownIsUsedAroundAndNotDropped has a record with a member that a newer version has added.
func TestSettingThatIsNotKnownIsUsedAroundAndNotDropped(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	source := newSource(t, writer, "app")
	made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	key := "trigger/" + made.ID
	value := fmt.Sprintf(`{"schema":1,"trigger":{"id":%q,"environment":"production","source_id":%q,"event":"Signed In","workflow":"w","status":"active","revision":2,"sampling":0.1}}`, made.ID, source.ID)
	produce(t, config, key, value)
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := reader.Snapshot().Trigger(made.ID); got.Event != "Signed In" || len(reader.Snapshot().Foreign()) != 0 {
		t.Errorf("%+v", got)
	}
	change := func() error {
		_, err := writer.UpdateTrigger(t.Context(), made.ID, func(t *schemas.Trigger) error {
			t.Workflow = "other"
			return nil
		})
		return err
	}
	var foreign *catalog.ForeignError
	if err := change(); !errors.As(err, &foreign) {
		t.Errorf("got %v", err)
	}
	if err := writer.DeleteTrigger(t.Context(), made.ID); err != nil {
		t.Errorf("it cannot be deleted: %v", err)
	}
}
