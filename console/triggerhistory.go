package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// history is a page of what a trigger was, newest first, as the audit log has it.
type history struct {
	Revisions []revision
	Older     string // address of what was before; "" at the end
	Newest    string // address of the first page; "" on it
}

// revision is a trigger after one change, and what that changed.
type revision struct {
	query.AuditItem
	Changes []settingChange
	Left    int  // changes that are not shown, since the page has no room for them
	CanBack bool // it can be brought back, and differs from what is

	before, after schemas.Trigger
}

// What the page has of the history; the audit log has all of it.
const (
	shownRevisions = "10"
	shownHistory   = 24 << 10 // bytes of what was changed
)

// historyOf reads a page of the history. The API finds things by name as well, which is not meant here.
func historyOf(ctx context.Context, client *api.Client, id, cursor string) (history, error) {
	filter := url.Values{"kind": {"trigger"}, "resource": {id}, "limit": {shownRevisions}}
	if cursor != "" {
		filter.Set("cursor", cursor)
	}
	found, err := client.Audit(ctx, filter)
	if err != nil {
		return history{}, err
	}
	var read history
	room, path := shownHistory, "/triggers/"+url.PathEscape(id)
	for _, item := range found.Items {
		if item.ResourceID != id {
			continue
		}
		made := revision{AuditItem: item}
		if err := made.read(&room); err != nil {
			return history{}, err
		}
		read.Revisions = append(read.Revisions, made)
	}
	if found.NextCursor != nil {
		read.Older = path + "?" + url.Values{"history": {*found.NextCursor}}.Encode() + "#history"
	}
	if cursor != "" {
		read.Newest = path + "#history"
	}
	return read, nil
}

// read finds what was changed, and keeps as much of it as there is room for.
func (r *revision) read(room *int) error {
	if err := errors.Join(readState(r.Before, &r.before), readState(r.After, &r.after)); err != nil {
		return fmt.Errorf("reading revision %d of trigger %s in the audit log: %w", r.Revision, r.ResourceID, err)
	}
	if r.Action == schemas.Deleted {
		return nil
	}
	for _, change := range changesBetween(r.before, r.after) {
		if size := change.size(); r.Left == 0 && size <= *room {
			*room -= size
			r.Changes = append(r.Changes, change)
			continue
		}
		r.Left++
	}
	return nil
}

// IsCreation tells whether the trigger was made by it.
func (r revision) IsCreation() bool { return r.Action == schemas.Created }

// named has sources by their names.
func (h history) named(known choices) history {
	for _, r := range h.Revisions {
		for _, change := range r.Changes {
			for i := range change.Lines {
				if change.Name == "source" {
					change.Lines[i].Text = known.SourceName(change.Lines[i].Text)
				}
			}
		}
	}
	return h
}

// readState reads what a trigger was, nothing where it was not there.
func readState(raw json.RawMessage, into *schemas.Trigger) error {
	if isNull(raw) {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// against marks the revisions that differ from what the trigger is now, nil where it is deleted.
func (h history) against(now *schemas.Trigger) history {
	for i := range h.Revisions {
		r := &h.Revisions[i]
		r.CanBack = now != nil && !isNull(r.After) && len(changesBetween(contents(r.after), contents(*now))) > 0
	}
	return h
}

// contents are what bringing back a revision brings back: all but whether the trigger is active, so that it starts no runs
// that nobody asked for.
func contents(of schemas.Trigger) schemas.Trigger {
	of.Status = ""
	return of
}

// isNull tells whether there is no JSON value.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// showDeleted shows what a trigger was that there is no more, or that there was none.
func (w *Console) showDeleted(c *fiber.Ctx, missing error) error {
	id, client := unescaped(c, "id"), visitorOf(c).client
	found, err := historyOf(c.UserContext(), client, id, c.Query("history"))
	if err != nil || len(found.Revisions) == 0 {
		return missing
	}
	last := found.Revisions[0]
	shown := triggerPage{Trigger: triggerView{last.after}, Deleted: true}
	if isNull(last.After) {
		shown.Trigger.Trigger = last.before
	}
	known, err := choicesFor(c.UserContext(), client)
	if err != nil {
		return err
	}
	shown.Source, shown.History.Value = known.SourceName(shown.Trigger.SourceID), found.against(nil).named(known)
	shown.fill()
	return w.showTriggerAs(c, fiber.StatusNotFound, shown)
}
