package query

import "slices"

// groups says what events are counted by.
type groups struct {
	table    string // events or decisions
	value    string // SQL: what they are counted by, NULL where they have none; as the table has it, which is counted fastest
	isOfMany bool   // there may be any number of values
	args     []any
	selected *filter
}

// newGroups says how to count the selected events by source, environment, event, status or user, by a property, or, where by is "", all of them.
func newGroups(of Selection, by string) (groups, error) {
	if by == "status" {
		return byStatus(of)
	}
	selected, err := of.where(nil)
	if err != nil {
		return groups{}, err
	}
	g := groups{table: "events", selected: selected}
	switch by {
	case "":
		g.value = "NULL"
	case "source":
		g.value = "source_id"
	case "environment", "event":
		g.value = by
	case "user":
		g.value, g.isOfMany = "nullIf(user_id, '')", true
	default:
		return g, g.property(by)
	}
	return g, nil
}

func (g *groups) property(by string) error {
	path, err := parsePath(by)
	if err != nil {
		return &FilterError{"by", "must be one of source, environment, event, status and user, or a property such as properties.currency; " + err.Error()}
	}
	if slices.ContainsFunc(path, func(s segment) bool { return s.isEach }) {
		return &FilterError{"by", "[] stands for several values; name one, such as items.0.sku"}
	}
	// The selection has bound names of its own kind.
	asks := asks{prefix: "by"}
	g.value, g.args, g.isOfMany = asks.text(path), asks.args, true
	return nil
}

// byStatus counts decisions: what is not decided about has no status and is not counted.
func byStatus(of Selection) (groups, error) { return ofDecisions(of, "status") }

// ofDecisions counts the decisions about the selected events by something that decisions have.
func ofDecisions(of Selection, value string) (groups, error) {
	if err := of.check(); err != nil {
		return groups{}, err
	}
	g := groups{table: "decisions", value: value, selected: of.shared()}
	g.selected.live()
	g.selected.equals("status", string(of.Status))
	if !of.ofEvents() {
		return g, nil
	}
	events := of.shared()
	if err := of.add(events); err != nil {
		return groups{}, err
	}
	// What is bound for shared is bound already.
	g.selected.add("event_id IN (SELECT event_id FROM events FINAL"+events.sql()+")", events.args[len(of.shared().args):]...)
	return g, nil
}
