package console

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// auditPage is the audit log: who changed what in the catalog, and when.
type auditPage struct {
	list[query.AuditItem]
	Changes []auditChange // of the page, newest first
}

// auditChange is what one request changed together.
type auditChange struct {
	At    time.Time
	Actor string
	Items []auditItem
}

// auditItem is one thing that was changed.
type auditItem struct {
	query.AuditItem
	Differences []difference
	Alone       string // where it stands alone, for a page that has no room for what it changed
}

// maxAuditText bounds what the page shows of all changes together, in bytes.
const maxAuditText = 48 << 10

func (w *Console) listAudit(c *fiber.Ctx) error {
	answer := page{Name: "audit", Title: "Audit log", Section: "/settings", Tab: "/settings/audit"}
	if !visitorOf(c).MayWrite() { // what things were before and after holds secret references
		answer.Content = auditPage{}
		return w.show(c, fiber.StatusOK, answer)
	}
	inputs := []string{"kind", "resource", "actor", "action", "since", "until"}
	found, err := find(c, listing[query.AuditItem]{"/settings/audit", inputs, nil, (*api.Client).Audit})
	if err != nil {
		return err
	}
	answer.Loading, answer.Content = found.Items.Loading, auditPage{found, together(found.Items.Value)}
	return w.show(c, found.Status, answer)
}

// together puts what one request changed into one change. The API lists it side by side.
func together(items []query.AuditItem) []auditChange {
	var changes []auditChange
	last, room := "", maxAuditText
	for i, item := range items {
		if i == 0 || item.ChangeID != last {
			changes = append(changes, auditChange{At: item.At, Actor: item.Actor})
			last = item.ChangeID
		}
		shown := auditItem{AuditItem: item}
		if room > 0 {
			shown.Differences = differences(item.Before, item.After)
			room -= sizeOf(shown.Differences)
		}
		if room < 0 && i > 0 {
			shown.Differences, shown.Alone = nil, alone(item)
		}
		change := &changes[len(changes)-1]
		change.Items = append(change.Items, shown)
	}
	return changes
}

func sizeOf(all []difference) int {
	size := 0
	for _, one := range all {
		size += len(one.Field) + len(one.Before) + len(one.After)
	}
	return size
}

// alone is the address of the audit log with this change only.
func alone(item query.AuditItem) string {
	return "/settings/audit?" + url.Values{
		"resource": {item.ResourceID}, "kind": {item.Kind},
		"since": {item.At.UTC().Format(time.RFC3339Nano)}, "until": {item.At.UTC().Add(time.Millisecond).Format(time.RFC3339Nano)},
	}.Encode()
}

// Label is what the thing is called: by its name at the time of the change, or its ID where it has none.
func (i auditItem) Label() string {
	if i.Name != "" {
		return i.Name
	}
	return i.ResourceID
}

// Summary says what is folded away: the members that changed, as far as they fit a line.
func (i auditItem) Summary() string {
	if i.Action != schemas.Updated {
		return "What it " + map[schemas.Action]string{schemas.Created: "began as", schemas.Deleted: "was"}[i.Action]
	}
	const most = 3
	var fields []string
	for _, one := range i.Differences[:min(most, len(i.Differences))] {
		fields = append(fields, cut(one.Field, maxSummaryField))
	}
	text := strings.Join(fields, ", ")
	if more := len(i.Differences) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return cmp.Or(text, "What has changed")
}

// maxSummaryField is how many bytes of a member's path a line has room for.
const maxSummaryField = 60

// Tone is the colour of the badge.
func (i auditItem) Tone() string {
	return map[schemas.Action]string{schemas.Created: "good", schemas.Deleted: "bad"}[i.Action]
}

// Link is the page of the thing, "" where there is none any more.
func (i auditItem) Link() string {
	if i.Action == schemas.Deleted {
		return ""
	}
	switch i.Kind {
	case "environment":
		return environmentPath(i.ResourceID)
	case "source":
		return "/sources/" + url.PathEscape(i.ResourceID)
	case "trigger":
		return "/triggers/" + url.PathEscape(i.ResourceID)
	case "replay":
		return "/replays/" + url.PathEscape(i.ResourceID)
	}
	return ""
}

// Names are some that a search may be for.
func (p auditPage) Names() []string {
	var names []string
	for _, known := range [][]option{p.Choices.Environments, p.Choices.Sources} {
		for _, choice := range known[:min(suggestedNames, len(known))] {
			names = append(names, choice.Name)
		}
	}
	return names
}

// suggestedNames is how many of a kind are suggested.
const suggestedNames = 100

// Kinds are the things that the catalog has.
func (auditPage) Kinds() []option {
	return []option{{"environment", "environment"}, {"source", "source"}, {"trigger", "trigger"}, {"replay", "replay"}}
}

// Actions are what can be done to them.
func (auditPage) Actions() []option {
	return []option{{"created", "created"}, {"updated", "updated"}, {"deleted", "deleted"}}
}
