package query_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// change writes an audit row a second after the one before and returns it as it should be read.
func (s *story) change(edit func(*query.AuditItem)) query.AuditItem {
	s.tb.Helper()
	s.events++
	item := query.AuditItem{
		At: s.start.Add(time.Duration(s.events) * time.Second), Actor: "deploy", Action: schemas.Updated, Kind: "trigger",
		ResourceID: "trg_1", Name: "welcome", Revision: int64(s.events), ChangeID: uuid.NewString(),
	}
	if edit != nil {
		edit(&item)
	}
	id, err := schemas.NewEventID(item.At)
	if err != nil {
		s.tb.Fatal(err)
	}
	item.ID = id.String()
	s.writeChange(item)
	return item
}

func (s *story) writeChange(item query.AuditItem) {
	s.tb.Helper()
	s.insert("audit (audit_id, change_id, at, actor, action, kind, resource_id, name, revision, before, after, topic, partition, offset)",
		item.ID, item.ChangeID, item.At, item.Actor, string(item.Action), item.Kind, item.ResourceID, item.Name, item.Revision,
		string(item.Before), string(item.After), "t.audit", int32(0), item.Revision)
}

func changeIDs(items []query.AuditItem) []string {
	ids := []string{}
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return ids
}

func TestAuditIsFilteredByEachMember(t *testing.T) {
	s := newStory(t)
	plain := s.change(nil)
	source := s.change(func(i *query.AuditItem) { i.Kind, i.ResourceID, i.Name = "source", "src_1", "app" })
	actor := s.change(func(i *query.AuditItem) { i.Actor = "o'hare -- {actor:String}" })
	deleted := s.change(func(i *query.AuditItem) { i.Action = schemas.Deleted })
	f := func(filter query.AuditFilter, want ...query.AuditItem) {
		t.Helper()
		page, err := s.log.Audit(t.Context(), filter)
		if err != nil {
			t.Fatalf("%+v: %v", filter, err)
		}
		if got := changeIDs(page.Items); !slices.Equal(got, changeIDs(want)) || page.NextCursor != "" {
			t.Errorf("%+v: got %v, next %q, want %v", filter, got, page.NextCursor, changeIDs(want))
		}
	}
	f(query.AuditFilter{}, deleted, actor, source, plain)
	f(query.AuditFilter{Kind: "source"}, source)
	f(query.AuditFilter{Kind: "environment"})
	f(query.AuditFilter{Resource: "src_1"}, source)
	f(query.AuditFilter{Resource: "app"}, source)
	f(query.AuditFilter{Resource: "welcome"}, deleted, actor, plain)
	f(query.AuditFilter{Actor: "o'hare -- {actor:String}"}, actor)
	f(query.AuditFilter{Action: schemas.Deleted, Resource: "trg_1", Actor: "deploy"}, deleted)
	f(query.AuditFilter{Since: source.At, Until: deleted.At}, actor, source)
}

func TestAuditIsPagedWithoutGapsAndCountsARowOnce(t *testing.T) {
	s := newStory(t)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range 11 {
		made := s.change(func(item *query.AuditItem) { item.At = s.start.Add(time.Duration(i/4) * time.Millisecond) })
		s.writeChange(made)
		all = append(all, made.ID)
	}
	var seen []string
	filter := query.AuditFilter{Limit: 3}
	for {
		page, err := s.log.Audit(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, changeIDs(page.Items)...)
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			break
		}
	}
	if len(seen) != len(all) || !sameSet(seen, all) {
		t.Errorf("saw %v, want each of %v once", seen, all)
	}
}

func TestBadAuditFiltersAreNamed(t *testing.T) {
	s := newStory(t)
	now := time.Now()
	for field, filter := range map[string]query.AuditFilter{
		"kind": {Kind: "workflow"}, "action": {Action: "renamed"}, "limit": {Limit: 501}, "cursor": {Cursor: "x"},
		"since": {Since: now.AddDate(-300, 0, 0)}, "until": {Since: now, Until: now.Add(-time.Hour)},
	} {
		_, err := s.log.Audit(t.Context(), filter)
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: got %v", fmt.Sprintf("%+v", filter), err)
		}
	}
}
