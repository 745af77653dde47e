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
		environment := schemas.Environment{Name: name, Workflows: schemas.WorkflowAPI{BaseURL: api.URL}}
		problems = append(problems, writer.EnsureEnvironment(ctx, environment))
	}
	return errors.Join(problems...)
}

// createTriggers creates the two triggers of an environment, which the events that isHere names are posted to.
func (f *Fleet) createTriggers(ctx context.Context, writer *catalog.Writer, environment string, isHere func(int64) bool) ([]ledger.Trigger, error) {
	trigger := schemas.Trigger{Environment: environment, SourceID: f.Source.ID, Event: "Order", Workflow: "always"}
	always, err := writer.CreateTrigger(ctx, trigger)
	trigger.Workflow, trigger.Condition = "some", "data.chosen"
	some, err2 := writer.CreateTrigger(ctx, trigger)
	return []ledger.Trigger{
		{Trigger: always, Matches: isHere},
		{Trigger: some, Matches: func(number int64) bool { return isHere(number) && f.options.EventNumber(number) }},
	}, errors.Join(err, err2)
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
