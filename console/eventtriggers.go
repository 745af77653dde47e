package console

import (
	"context"
	"net/url"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// namedTriggers is how many triggers of an event's name, and how many of any name, an event's page knows by name. What is
// beyond stands there by its ID.
const namedTriggers = "200"

// triggersFor reads the triggers that are bound to an event now.
func triggersFor(ctx context.Context, client *api.Client, event query.EventItem) (map[string]triggerView, error) {
	var bound [2]api.Page[schemas.Trigger]
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range []string{event.Event, schemas.AnyEvent} {
		group.Go(func() (err error) {
			bound[i], err = client.Triggers(ctx, url.Values{
				"source": {event.SourceID}, "environment": {event.Environment}, "event": {name}, "limit": {namedTriggers},
			})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := map[string]triggerView{}
	for _, page := range bound {
		for _, trigger := range page.Items {
			found[trigger.ID] = triggerView{trigger}
		}
	}
	return found, nil
}

// stepView is a step of the timeline, with the trigger that was asked where there still is one.
type stepView struct {
	query.Step
	Trigger *triggerView
	Repair  string // address of the editor, with the event to try it on; "" where nothing failed
	Replay  string // address of a replay of what failed alike
}

// NamesWorkflow tells whether the workflow is to be named: a trigger without a name of its own is called by it already.
func (s stepView) NamesWorkflow() bool {
	return s.Workflow != "" && (s.Trigger == nil || s.Trigger.Title() != s.Workflow)
}

// Timeline is the steps as the page shows them.
func (p eventPage) Timeline() []stepView {
	steps := make([]stepView, len(p.Steps))
	for i, step := range p.Steps {
		steps[i] = stepView{Step: step}
		trigger, exists := p.Triggers.Value[step.TriggerID]
		if !exists {
			continue
		}
		steps[i].Trigger = &trigger
		if step.Outcome == string(schemas.MappingError) || step.Outcome == string(schemas.ConditionError) {
			steps[i].Repair = "/triggers/" + url.PathEscape(trigger.ID) + "/edit?" + url.Values{"event_id": {p.Event.ID}}.Encode()
			steps[i].Replay = replayOfFailed(p.Event.EventItem, trigger.ID)
		}
	}
	return steps
}

// replayOfFailed is the form of a replay of the events that failed, as this one did, through the trigger.
func replayOfFailed(event query.EventItem, triggerID string) string {
	return "/replays/new?" + url.Values{
		"source": {event.SourceID}, "environment": {event.Environment}, "event": {event.Event}, "status": {string(schemas.Failed)}, "trigger": {triggerID},
	}.Encode()
}
