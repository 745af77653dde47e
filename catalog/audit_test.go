package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

func TestAuditSaysWhatChangedWithoutKeys(t *testing.T) {
	config := newCluster(t)
	_, writer := open(t, config)
	ctx := catalog.WithActor(t.Context(), "ada")
	source := newSource(t, writer, "app")
	rotated := rotate(t, writer, source.ID, 1e9)
	made, err := writer.CreateTrigger(ctx, trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.DeleteTrigger(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	err = writer.Change(ctx, func(tx *catalog.Tx) error { // what comes and goes in one change leaves no trace
		passing, err := tx.PutTrigger(trigger(source.ID, "Signed Up"))
		if err != nil {
			return err
		}
		return tx.DeleteTrigger(passing.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	entries := readAudit(t, config, 2+2+2)
	created, deleted := entries[4], entries[5]
	if created.Actor != "ada" || created.Action != schemas.Created || created.Kind != "trigger" || created.ResourceID != made.ID || created.Name != "welcome" || created.Before != nil {
		t.Errorf("%+v", created)
	}
	if deleted.Action != schemas.Deleted || deleted.After != nil || deleted.Revision != 1 || !strings.Contains(string(deleted.Before), made.ID) || deleted.ChangeID == created.ChangeID {
		t.Errorf("%+v", deleted)
	}
	if entries[2].Actor != "system" || entries[3].Action != schemas.Updated || !strings.Contains(string(entries[3].After), "previous_keys") {
		t.Errorf("%+v", entries[3])
	}
	all, _ := json.Marshal(entries)
	for _, endpoint := range []schemas.Endpoint{source.Endpoints["production"], rotated.Endpoints["production"]} {
		if strings.Contains(string(all), endpoint.Key) || strings.Contains(string(all), endpoint.KeyHash) {
			t.Error("a key or its hash is in the audit log")
		}
	}
}
