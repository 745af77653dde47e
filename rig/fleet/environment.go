package fleet

import (
	"context"
	"errors"
	"maps"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

func (f *Fleet) ensureEnvironments(ctx context.Context, writer *catalog.Writer) error {
	apis := map[string]*Workflows{production: f.Workflows}
	if f.options.Elsewhere != nil {
		apis[staging] = f.Elsewhere
	}
	var problems []error
	for name, api := range apis {
		environment := schemas.Environment{Name: name, Workflows: schemas.WorkflowAPI{BaseURL: api.URL, APIKeyRef: f.options.APIKeyRef}}
		problems = append(problems, writer.EnsureEnvironment(ctx, environment))
	}
	return errors.Join(problems...)
}

// createTriggers creates the triggers of an environment, to which the events go that isHere names.
func (f *Fleet) createTriggers(ctx context.Context, writer *catalog.Writer, environment string, isHere func(int64) bool) ([]ledger.Trigger, error) {
	triggers := append([]ledger.Trigger{
		{Trigger: schemas.Trigger{Workflow: "always"}, Matches: func(int64) bool { return true }},
		{Trigger: schemas.Trigger{Workflow: "some", Condition: "data.chosen"}, Matches: f.options.EventNumber},
	}, f.options.Triggers...)
	for i := range triggers {
		trigger, matches, fails := triggers[i].Trigger, triggers[i].Matches, triggers[i].Fails
		trigger.Environment, trigger.SourceID, trigger.Event = environment, f.Source.ID, "Order"
		created, err := writer.CreateTrigger(ctx, trigger)
		if err != nil {
			return nil, err
		}
		triggers[i] = ledger.Trigger{Trigger: created, Sees: isHere, Matches: matches, Fails: func(number int64) bool {
			return fails != nil && fails(number) || f.isAnonymous(number) && matches(number)
		}}
	}
	return triggers, nil
}

// isAnonymous tells whether an event has nobody that a run could be for.
func (f *Fleet) isAnonymous(number int64) bool {
	return f.options.Anonymous != nil && f.options.Anonymous(number)
}

func (f *Fleet) isElsewhere(number int64) bool {
	return f.options.Elsewhere != nil && f.options.Elsewhere(number)
}

// path returns that of the endpoint which an event is posted to.
func (f *Fleet) path(number int64) string {
	if f.isElsewhere(number) {
		return f.pathIn(staging)
	}
	return f.Path
}

func (f *Fleet) pathIn(environment string) string {
	return "/v1/receive/" + f.Source.Endpoints[environment].Key
}

// effects returns what both workflow APIs did.
func (f *Fleet) effects() map[string]ledger.Effect {
	all := f.Workflows.Effects()
	maps.Copy(all, f.Elsewhere.Effects())
	return all
}
