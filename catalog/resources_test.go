package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

func TestRenamedEnvironmentTakesItsEndpointsAndTriggersAlong(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	source := newSource(t, writer, "app")
	made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	err = writer.Change(catalog.WithActor(t.Context(), "ada"), func(tx *catalog.Tx) error {
		return tx.RenameEnvironment("production", "live")
	})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := reader.Snapshot()
	if _, exists := snapshot.Environment("production"); exists {
		t.Error("the old name exists")
	}
	if live, _ := snapshot.Environment("live"); live.Revision != 2 || live.CreatedAt.IsZero() {
		t.Errorf("%+v", live)
	}
	if found, known := snapshot.Endpoint(source.Endpoints["production"].Key); !known || found.Environment != "live" {
		t.Errorf("%+v", found)
	}
	if bound := snapshot.Bound("live", source.ID, "Signed Up"); len(bound) != 1 || bound[0].ID != made.ID || bound[0].Revision != 2 {
		t.Errorf("%v", bound)
	}
	if len(snapshot.Bound("production", source.ID, "Signed Up")) != 0 {
		t.Error("the trigger is bound to the old name, too")
	}
	entries := readAudit(t, config, 2+1+1+3)[4:]
	if len(entries) != 3 {
		t.Fatalf("%d audit records", len(entries))
	}
	for _, entry := range entries {
		if entry.Actor != "ada" || entry.Action != schemas.Updated || entry.Revision != 2 || entry.ChangeID != entries[0].ChangeID || !json.Valid(entry.Before) {
			t.Errorf("%+v", entry)
		}
	}
	if first := entries[0]; first.Kind != "environment" || first.ResourceID != "live" || !strings.Contains(string(first.Before), `"production"`) {
		t.Errorf("%+v", first)
	}
}

func TestEnvironmentIsRemovedOnlyWhenItIsEmpty(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	remove := func() error {
		return writer.Change(t.Context(), func(tx *catalog.Tx) error { return tx.DeleteEnvironment("production") })
	}
	inUse := func(err error, because string) {
		t.Helper()
		var used *catalog.InUseError
		if !errors.As(err, &used) || !strings.Contains(err.Error(), because) {
			t.Errorf("got %v, want it to name %s", err, because)
		}
	}
	inUse(remove(), made.ID)
	inUse(writer.Change(t.Context(), func(tx *catalog.Tx) error { return tx.DeleteSource("app") }), made.ID)
	if err := writer.DeleteTrigger(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	inUse(remove(), `"app"`)
	_, err = writer.UpdateSource(t.Context(), "app", func(s *schemas.Source) error {
		endpoint := s.Endpoints["production"]
		endpoint.Disabled = true
		s.Endpoints["production"] = endpoint
		return nil
	})
	if err := errors.Join(err, remove()); err != nil {
		t.Fatal(err)
	}
	left, _ := reader.Snapshot().Source("app")
	if _, exists := left.Endpoints["production"]; exists || len(left.Endpoints) != 1 {
		t.Errorf("%+v", left.Endpoints)
	}
	if err := remove(); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("removing it again: %v", err)
	}
}

func TestDisabledSourceDisablesItsEndpoints(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	key := newSource(t, writer, "app").Endpoints["production"].Key
	for _, isDisabled := range []bool{true, false} {
		_, err := writer.UpdateSource(t.Context(), "app", func(s *schemas.Source) error {
			s.Disabled = isDisabled
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if found, _ := reader.Snapshot().Endpoint(key); found.Disabled != isDisabled {
			t.Errorf("the source is disabled: %t, its endpoint: %t", isDisabled, found.Disabled)
		}
	}
}

func TestTriggersAreCalledAfterTheirWorkflowAndEachOtherwise(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	var names []string
	for range 4 {
		made, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, made.Name)
	}
	if got := strings.Join(names, " "); got != "welcome welcome-2 welcome-3 welcome-4" {
		t.Error(got)
	}
	long := trigger(source.ID, "Signed Up")
	long.Workflow = strings.Repeat("w", 128)
	for range 2 {
		if made, err := writer.CreateTrigger(t.Context(), long); err != nil || len(made.Name) != 128 {
			t.Errorf("%q: %v", made.Name, err)
		}
	}
	taken := trigger(source.ID, "Signed Up")
	taken.Name = "welcome-3"
	_, err := writer.CreateTrigger(t.Context(), taken)
	var invalid *catalog.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "name" {
		t.Errorf("a name that is taken: %v", err)
	}
	taken.Environment = "development"
	if _, err := writer.CreateTrigger(t.Context(), taken); err != nil {
		t.Errorf("the same name in another environment: %v", err)
	}
	found, _ := reader.Snapshot().TriggerNamed("production", "welcome-3")
	renamed, err := writer.UpdateTrigger(t.Context(), found.ID, func(edited *schemas.Trigger) error {
		edited.Name = "greeting"
		return nil
	})
	if err != nil || renamed.Name != "greeting" {
		t.Fatal(renamed, err)
	}
	if _, exists := reader.Snapshot().TriggerNamed("production", "welcome-3"); exists {
		t.Error("the old name is still taken")
	}
}

func TestLimitsAreRefusedByFieldWithARemedy(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	f := func(field string, put func(*catalog.Tx) error) {
		t.Helper()
		err := writer.Change(t.Context(), put)
		var invalid *catalog.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("got %v, want a refusal of %s", err, field)
		}
	}
	f("environments", func(tx *catalog.Tx) error {
		for i := range 99 {
			if _, err := tx.PutEnvironment(schemas.Environment{Name: fmt.Sprint("e", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	f("sources", func(tx *catalog.Tx) error {
		for i := range 10_000 {
			if _, err := tx.PutSource(schemas.Source{Name: fmt.Sprint("s", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	f("mapping", func(tx *catalog.Tx) error {
		big := trigger(source.ID, "Signed Up")
		big.Mapping.Recipients = json.RawMessage(`{"value":"` + strings.Repeat("x", 400<<10) + `"}`)
		_, err := tx.PutTrigger(big)
		return err
	})
	environment := func(change func(*schemas.Environment)) func(*catalog.Tx) error {
		return func(tx *catalog.Tx) error {
			wanted := schemas.Environment{Name: "staging"}
			change(&wanted)
			_, err := tx.PutEnvironment(wanted)
			return err
		}
	}
	f("name", environment(func(e *schemas.Environment) { e.Name = "-" }))
	f("name", environment(func(e *schemas.Environment) { e.Name = strings.Repeat("x", 129) }))
	f("description", environment(func(e *schemas.Environment) { e.Description = strings.Repeat("x", 1025) }))
	f("workflow_api.rate_limit", environment(func(e *schemas.Environment) { e.Workflows.RateLimit = -1 }))
	f("workflow_api.concurrency", environment(func(e *schemas.Environment) { e.Workflows.Concurrency = -1 }))
	f("workflow_api.kind", environment(func(e *schemas.Environment) { e.Workflows.Kind = "grpc" }))
	f("workflow_api.order", environment(func(e *schemas.Environment) { e.Workflows.Order = "random" }))
	f("workflow_api.base_url", environment(func(e *schemas.Environment) {
		e.Workflows = schemas.WorkflowAPI{Kind: schemas.WorkflowNone, BaseURL: "https://a.example"}
	}))
	f("workflow_api.api_key", environment(func(e *schemas.Environment) {
		e.Workflows = schemas.WorkflowAPI{Kind: schemas.WorkflowNone, APIKeyRef: "env:A"}
	}))
	endpoint := func(e schemas.Endpoint) func(*catalog.Tx) error {
		return func(tx *catalog.Tx) error {
			_, err := tx.PutSource(schemas.Source{Name: "other", Endpoints: map[string]schemas.Endpoint{"production": e}})
			return err
		}
	}
	f("endpoints.production.max_bytes", endpoint(schemas.Endpoint{MaxBytes: -1}))
	f("endpoints.production.max_bytes", endpoint(schemas.Endpoint{MaxBytes: 1 << 20}))
	f("endpoints.production.dedup_window", endpoint(schemas.Endpoint{DedupWindow: 1}))
	f("name", func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "development") })
	f("name", func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "") })
}

func TestKindAndOrderHaveTheirDefaultsInOldRecordsToo(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	produce(t, config, "environment/old", `{"schema":1,"environment":{"name":"old","revision":1,"workflow_api":{"base_url":"https://a.example"}}}`)
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := func(name string, kind schemas.WorkflowKind, order schemas.RunOrder) {
		t.Helper()
		if e, _ := reader.Snapshot().Environment(name); e.Workflows.Kind != kind || e.Workflows.Order != order {
			t.Errorf("%s: %+v", name, e.Workflows)
		}
	}
	f("old", schemas.WorkflowHTTP, schemas.RelaxedOrder)
	f("production", schemas.WorkflowHTTP, schemas.RelaxedOrder)
	err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
		_, err := tx.PutEnvironment(schemas.Environment{Name: "production", Workflows: schemas.WorkflowAPI{Kind: schemas.WorkflowNone, Order: schemas.StrictOrder, Concurrency: 3}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f("production", schemas.WorkflowNone, schemas.StrictOrder)
}

// TestRecordOfTheFutureIsNotWrittenOver has records that a newer version wrote.
func TestRecordOfTheFutureIsNotWrittenOver(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	source := newSource(t, writer, "app")
	produce(t, config, "environment/staging", `{"schema":2,"environment":{"name":"staging"}}`)
	produce(t, config, "widget/w1", `{"schema":1,"widget":{"id":"w1"}}`)
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	inUse := func(put func(*catalog.Tx) error) {
		t.Helper()
		var used *catalog.InUseError
		if err := writer.Change(t.Context(), put); !errors.As(err, &used) {
			t.Errorf("got %v", err)
		}
	}
	inUse(func(tx *catalog.Tx) error {
		_, err := tx.PutEnvironment(schemas.Environment{Name: "staging"})
		return err
	})
	inUse(func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "live") })
	inUse(func(tx *catalog.Tx) error { return tx.DeleteSource("app") })
	if _, err := writer.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up")); err != nil {
		t.Errorf("the rest does not work: %v", err)
	}
	late := follow(t, config)
	if err := late.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(late.Snapshot().Triggers()); got != 1 {
		t.Errorf("%d triggers", got)
	}
	produce(t, config, "environment/staging", "")
	produce(t, config, "widget/w1", "")
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := writer.Change(t.Context(), func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "staging") }); err != nil {
		t.Errorf("after they were deleted: %v", err)
	}
}
