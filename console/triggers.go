package console

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// routeTriggers lists the pages of this part.
func (w *Console) routeTriggers(app fiber.Router) {
	app.Get("/triggers", w.listTriggers)
	app.Get("/triggers/:id", w.showTrigger)
	app.Post("/triggers/:id/status", w.switchTrigger)
	app.Post("/triggers/:id/copy", w.copyTrigger)
	app.Post("/triggers/:id/delete", w.deleteTrigger)
	app.Post("/triggers/:id/revisions/:revision", w.restoreTrigger)
}

// triggersPage is the list of triggers.
type triggersPage struct {
	list[schemas.Trigger]
	Matches part[map[string]query.TriggerMatch] // within a day, by trigger ID; who was not asked is not in it
	Back    string                              // the search and the place in the list, for buttons that lead back to it; "" is all, from the first
}

// triggerRow is a row of the list.
type triggerRow struct {
	triggerView
	Source string // name
	Match  query.TriggerMatch
}

// Errors counts the events that the trigger failed on.
func (r triggerRow) Errors() uint64 { return r.Match.MappingError + r.Match.ConditionError }

// triggerGroup is the triggers of one environment.
type triggerGroup struct {
	Environment string
	Rows        []triggerRow
}

// triggerFilters are the parameters of the API that a search can have.
func triggerFilters() []string {
	return []string{"environment", "source", "event", "workflow", "status", "text"}
}

func (w *Console) listTriggers(c *fiber.Ctx) error {
	found, err := findWithin(c.UserContext(), c, listing[schemas.Trigger]{"/triggers", triggerFilters(), nil, (*api.Client).Triggers})
	if err != nil {
		return err
	}
	shown := triggersPage{list: found, Back: filterOf(c, append(triggerFilters(), "cursor")).Encode()}
	limited, cancel := inTime(c)
	defer cancel()
	matches, err := matchesOf(limited, visitorOf(c).client, found.Items.Value)
	if err := shown.Matches.ask(limited, matches, err); err != nil {
		return err
	}
	return w.show(c, found.Status, page{
		Name: "triggers", Title: "Triggers", Section: "/triggers", Notice: notice(c), Loading: shown.Matches.Loading, Content: shown,
	})
}

// matchesOf counts what the triggers did within a day.
func matchesOf(ctx context.Context, client *api.Client, triggers []schemas.Trigger) (map[string]query.TriggerMatch, error) {
	matches := map[string]query.TriggerMatch{}
	if len(triggers) == 0 {
		return matches, nil
	}
	filter := url.Values{"since": {"24h"}, "interval": {string(query.All)}}
	for _, trigger := range triggers {
		filter.Add("trigger", trigger.ID)
	}
	narrow(filter, "environment", triggers, func(t schemas.Trigger) string { return t.Environment })
	narrow(filter, "source", triggers, func(t schemas.Trigger) string { return t.SourceID })
	counted, err := client.Dedup(ctx, filter)
	for _, match := range counted.Triggers {
		matches[match.TriggerID] = match
	}
	return matches, err
}

// narrow restricts to what all the triggers have in common, so that the event log has less to look through.
func narrow(filter url.Values, name string, triggers []schemas.Trigger, of func(schemas.Trigger) string) {
	first := of(triggers[0])
	if !slices.ContainsFunc(triggers, func(t schemas.Trigger) bool { return of(t) != first }) {
		filter.Set(name, first)
	}
}

// Groups are the triggers of the page by environment, source and event; those of the same event by age, as they came.
func (p triggersPage) Groups() []triggerGroup {
	rows := make([]triggerRow, len(p.Items.Value))
	for i, trigger := range p.Items.Value {
		rows[i] = triggerRow{triggerView{trigger}, p.Choices.SourceName(trigger.SourceID), p.Matches.Value[trigger.ID]}
	}
	slices.SortStableFunc(rows, func(a, b triggerRow) int {
		return cmp.Or(strings.Compare(a.Environment, b.Environment), strings.Compare(a.Source, b.Source), strings.Compare(a.Event, b.Event))
	})
	var groups []triggerGroup
	for _, row := range rows {
		if len(groups) == 0 || groups[len(groups)-1].Environment != row.Environment {
			groups = append(groups, triggerGroup{Environment: row.Environment})
		}
		last := &groups[len(groups)-1]
		last.Rows = append(last.Rows, row)
	}
	return groups
}

// IsFirstVisit tells whether there is no trigger at all.
func (p triggersPage) IsFirstVisit() bool {
	return p.Items.Failed == nil && len(p.Items.Value) == 0 && p.Back == ""
}

// Statuses are those of triggers.
func (triggersPage) Statuses() []option {
	return []option{{string(schemas.TriggerActive), "active"}, {string(schemas.TriggerInactive), "inactive"}}
}
