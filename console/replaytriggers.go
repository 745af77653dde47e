package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// triggerChoice is a trigger that the replay can go through.
type triggerChoice struct {
	schemas.Trigger
	IsChosen bool
	IsKnown  bool // it is one of the source and environment
}

// offeredTriggers is how many triggers the form offers; others can be named in its address.
const offeredTriggers = 200

// readTriggers reads the triggers of the source and environment. Those that were chosen stand first.
func (p *newReplayPage) readTriggers(ctx context.Context, client *api.Client) error {
	values := p.Form.Values
	var found api.Page[schemas.Trigger]
	err := client.Do(ctx, api.Call{Method: http.MethodGet, Path: "/triggers", Query: url.Values{
		"source": values["source"][:1], "environment": values["environment"][:1], "limit": {strconv.Itoa(offeredTriggers)},
	}}, &found)
	if refusedWith(err, http.StatusNotFound) { // the source was deleted, which the form says when it is sent
		return nil
	}
	if err != nil {
		return err
	}
	p.MoreTriggers = found.NextCursor != nil
	left := slices.Clone(values["triggers"])
	for _, trigger := range found.Items {
		isChosen := slices.Contains(left, trigger.ID) || trigger.Name != "" && slices.Contains(left, trigger.Name)
		left = slices.DeleteFunc(left, func(ref string) bool { return ref == trigger.ID || ref == trigger.Name })
		p.Triggers = append(p.Triggers, triggerChoice{trigger, isChosen, true})
	}
	others, err := readTriggersNamed(ctx, client, left[:min(offeredTriggers, len(left))])
	p.Triggers = append(others, p.Triggers...)
	slices.SortStableFunc(p.Triggers, func(a, b triggerChoice) int { return onFirst(a.IsChosen) - onFirst(b.IsChosen) })
	return err
}

func onFirst(on bool) int {
	if on {
		return 0
	}
	return 1
}

// maxTriggerCalls is how many triggers the API is asked for at once.
const maxTriggerCalls = 4

// readTriggersNamed reads triggers that are chosen and not listed. One that does not exist keeps its place, so that the
// form says so.
func readTriggersNamed(ctx context.Context, client *api.Client, refs []string) ([]triggerChoice, error) {
	found := make([]triggerChoice, len(refs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxTriggerCalls)
	for i, ref := range refs {
		group.Go(func() error {
			found[i] = triggerChoice{schemas.Trigger{ID: ref}, true, false}
			err := client.Get(ctx, api.Path("triggers", ref), &found[i].Trigger)
			if refusedWith(err, http.StatusNotFound) {
				return nil
			}
			return err
		})
	}
	return found, group.Wait()
}

// Label is what the trigger is called; of one that is gone only the ID is known.
func (t triggerChoice) Label() string { return cut(cmp.Or(t.Name, t.Workflow, t.ID), shownID) }
