package query

import (
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/schemas"
)

// Events and decisions by what a trigger did.

// askedOf restricts decisions to those that one of the triggers was asked about. None does not restrict.
func (f *filter) askedOf(triggers []string) error {
	if len(triggers) == 0 {
		return nil
	}
	if len(triggers) > MaxLimit {
		return &FilterError{"trigger", fmt.Sprintf("at most %d", MaxLimit)}
	}
	f.add("hasAny(triggers.trigger_id, {triggers:Array(String)})", clickhouse.Named("triggers", triggers))
	return nil
}

// outcomeOf is what the bound trigger did with an event that it was asked about. A decision asks each trigger once.
const outcomeOf = "triggers.outcome[indexOf(triggers.trigger_id, {trigger:String})]"

// byOutcome counts decisions by what one trigger did.
func byOutcome(of Selection, trigger string) (groups, error) {
	if trigger == "" {
		return groups{}, &FilterError{"trigger", "by=outcome needs the ID of a trigger"}
	}
	g, err := ofDecisions(of, outcomeOf)
	if err != nil {
		return groups{}, err
	}
	g.selected.add("has(triggers.trigger_id, {trigger:String})", clickhouse.Named("trigger", trigger))
	return g, nil
}

// decidedBy restricts events to those that a trigger was asked about, and that came to one of the outcomes where there are
// some. shared are the conditions that hold for decisions as well, and narrow them down.
func (f *filter) decidedBy(trigger string, outcomes []schemas.Outcome, shared *filter) error {
	if trigger == "" && len(outcomes) == 0 {
		return nil
	}
	if trigger == "" {
		return &FilterError{"outcome", "is that of a trigger; give trigger as well"}
	}
	decided := filter{conditions: shared.conditions[:len(shared.conditions):len(shared.conditions)]}
	decided.live()
	decided.add("has(triggers.trigger_id, {trigger:String})")
	f.args = append(f.args, clickhouse.Named("trigger", trigger))
	if len(outcomes) > 0 {
		texts := make([]string, len(outcomes))
		for i, outcome := range outcomes {
			texts[i] = string(outcome)
			if err := checkOutcome(outcome); err != nil {
				return err
			}
		}
		decided.add(outcomeOf + " IN {outcomes:Array(String)}")
		f.args = append(f.args, clickhouse.Named("outcomes", texts))
	}
	f.add("event_id IN (SELECT event_id FROM decisions FINAL" + decided.sql() + ")")
	return nil
}

func checkOutcome(outcome schemas.Outcome) error {
	return oneOf("outcome", string(outcome), string(schemas.Matched), string(schemas.ConditionFalse), string(schemas.Inactive),
		string(schemas.MappingError), string(schemas.ConditionError))
}
