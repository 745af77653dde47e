package eventlog_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// change returns an entry of the audit topic, a millisecond after the one before.
func (m *maker) change(edit func(*schemas.AuditEntry)) (*kgo.Record, schemas.AuditEntry) {
	m.tb.Helper()
	m.events++
	at := midnight().Add(time.Duration(m.events) * time.Millisecond)
	id, err := schemas.NewEventID(at)
	if err != nil {
		m.tb.Fatal(err)
	}
	entry := schemas.AuditEntry{
		Schema: schemas.Version, ID: id.String(), ChangeID: uuid.NewString(), At: at, Actor: "deploy", Action: schemas.Updated,
		Kind: "trigger", ResourceID: "trg_1", Name: "welcome", Revision: 2,
		Before: json.RawMessage(`{"status":"active"}`), After: json.RawMessage(`{"status":"inactive"}`),
	}
	if edit != nil {
		edit(&entry)
	}
	return record(m, schemas.AuditTopic, entry.Kind+"/"+entry.ResourceID, entry), entry
}

func TestEveryChangeOfTheCatalogIsAuditedExactlyOnce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.Flush.Rows = 100
	var records []*kgo.Record
	for range 1_000 {
		record, _ := r.change(nil)
		records = append(records, record)
	}
	produce(t, r.client, records...)
	for round := 1; round <= 3; round++ {
		stop := r.start()
		r.reaches(round*300, "SELECT count() FROM audit")
		stop()
	}
	r.start()
	r.reaches(len(records), "SELECT count() FROM audit")
	r.exact("audit", records)
	if all, ids := r.ask("SELECT count() FROM audit"), r.ask("SELECT uniqExact(audit_id) FROM audit"); all != ids {
		t.Errorf("%d rows of %d changes", all, ids)
	}
}

func TestAuditSaysWhoChangedWhatAndHow(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	made, want := r.change(func(e *schemas.AuditEntry) {
		e.Action, e.Revision, e.Before, e.Name = schemas.Created, 1, nil, `o'hare "\ ü`
	})
	unreadable := record(&r.maker, schemas.AuditTopic, "trigger/trg_1", schemas.AuditEntry{Schema: schemas.Version, ID: "7", At: midnight()})
	produce(t, r.client, made, unreadable)
	r.start()
	r.reaches(1, "SELECT count() FROM audit")
	r.reaches(1, "SELECT count() FROM quarantine WHERE reason LIKE '%audit ID%'")
	page, err := query.New(r.conn).Audit(t.Context(), query.AuditFilter{})
	if err != nil || len(page.Items) != 1 || page.NextCursor != "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	got := page.Items[0]
	if fmt.Sprint(got.ID, got.ChangeID, got.Actor, got.Action, got.Kind, got.ResourceID, got.Name, got.Revision) !=
		fmt.Sprint(want.ID, want.ChangeID, want.Actor, want.Action, want.Kind, want.ResourceID, want.Name, want.Revision) ||
		!got.At.Equal(want.At) || got.Before != nil || string(got.After) != string(want.After) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
