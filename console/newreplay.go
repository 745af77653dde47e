package console

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// newReplayPage is the form of a replay to be, and what a dry run of it has found.
type newReplayPage struct {
	Form         form
	Choices      choices
	Triggers     []triggerChoice
	MoreTriggers bool // than are shown
	Found        *dryRunView
}

// triggerChoice is a trigger that the replay can go through.
type triggerChoice struct {
	schemas.Trigger
	IsChosen bool
	IsKnown  bool // it is one of the source and environment
}

// shownTriggers is how many triggers the form offers; others can be named in its address.
const shownTriggers = 200

// replayInputs are the inputs of the form, called as the API calls them.
func replayInputs() []string {
	return []string{"source", "environment", "from", "to", "events", "where", "statuses", "triggers", "rate", "force"}
}

// replayAliases are other names of inputs in the address of the form, which those who link to it think of first.
func replayAliases() map[string]string {
	return map[string]string{
		"event": "events", "status": "statuses", "trigger": "triggers", "condition": "where", "since": "from", "until": "to",
	}
}

// replaySettings reads the form from its address, with what is usual where the address says nothing.
func replaySettings(c *fiber.Ctx) url.Values {
	settings := filterOf(c, replayInputs())
	for alias, values := range filterOf(c, sortedKeys(replayAliases())) {
		name := replayAliases()[alias]
		settings[name] = append(settings[name], values...)
	}
	for name, usual := range map[string]string{"from": "24h", "to": "now"} {
		if !settings.Has(name) {
			settings.Set(name, usual)
		}
	}
	if settings.Get("force") == "true" || settings.Get("force") == "1" {
		settings.Set("force", "on")
	}
	return settings
}

func (w *Console) newReplay(c *fiber.Ctx) error {
	shown, err := readNewReplay(c.UserContext(), visitorOf(c).client, form{Values: replaySettings(c)})
	if err != nil {
		return err
	}
	return w.show(c, fiber.StatusOK, pageOf(shown))
}

func pageOf(shown newReplayPage) page {
	return page{Name: "newreplay", Title: "New replay", Section: "/replays", Content: shown}
}

// readNewReplay reads what the form can be set to. A form without a key gets one: pressed twice, it starts one replay.
func readNewReplay(ctx context.Context, client *api.Client, filled form) (newReplayPage, error) {
	shown := newReplayPage{Form: filled}
	var err error
	if shown.Choices, err = choicesFor(ctx, client); err != nil {
		return shown, err
	}
	values := shown.Form.Values
	if values.Get("key") == "" {
		values.Set("key", rand.Text())
	}
	for _, source := range shown.Choices.Sources {
		if values.Get("source") == source.Name || len(shown.Choices.Sources) == 1 && !values.Has("source") {
			values.Set("source", source.Value)
		}
	}
	if values.Get("source") == "" || values.Get("environment") == "" {
		return shown, nil
	}
	return shown, shown.readTriggers(ctx, client)
}

// readTriggers reads the triggers of the source and environment. Those that were chosen stand first.
func (p *newReplayPage) readTriggers(ctx context.Context, client *api.Client) error {
	values := p.Form.Values
	var found api.Page[schemas.Trigger]
	err := client.Do(ctx, api.Call{Method: http.MethodGet, Path: "/triggers", Query: url.Values{
		"source": values["source"][:1], "environment": values["environment"][:1], "limit": {strconv.Itoa(shownTriggers)},
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
	others, err := readTriggersNamed(ctx, client, left[:min(shownTriggers, len(left))])
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

// Label is what the trigger is called.
func (t triggerChoice) Label() string {
	if t.Name != "" {
		return t.Name
	}
	return cut(t.ID, shownID)
}

// EventNames are the names that the form has, and room for one more.
func (p newReplayPage) EventNames() []string { return append(filled(p.Form.Values["events"]), "") }

// statusChoice is a status of the form.
type statusChoice struct {
	option
	IsChosen bool
}

// Statuses are the outcomes that events can be chosen by.
func (p newReplayPage) Statuses() []statusChoice {
	all := []statusChoice{}
	for _, one := range append(statusOptions(), option{string(schemas.AnyStatus), "any, repeats and undecided ones too"}) {
		all = append(all, statusChoice{one, slices.Contains(p.Form.Values["statuses"], one.Value)})
	}
	return all
}

// NeedsPlace tells whether no triggers can be shown because nobody has said whose.
func (p newReplayPage) NeedsPlace() bool {
	return p.Form.Value("source") == "" || p.Form.Value("environment") == ""
}

// replayOrder is what the form asks for, as the API takes it.
func replayOrder(values url.Values) map[string]any {
	order := map[string]any{
		"source": values.Get("source"), "environment": values.Get("environment"), "from": values.Get("from"), "to": values.Get("to"),
		"triggers": filled(values["triggers"]), "force": values.Get("force") == "on",
	}
	for _, name := range []string{"events", "statuses"} {
		if chosen := filled(values[name]); len(chosen) > 0 {
			order[name] = chosen
		}
	}
	if where := values.Get("where"); where != "" {
		order["where"] = where
	}
	if rate := strings.ReplaceAll(values.Get("rate"), ",", ""); rate != "" {
		order["rate"] = rate // what is no number the API complains of
		if perSecond, err := strconv.ParseFloat(rate, 64); err == nil {
			order["rate"] = perSecond
		}
	}
	return order
}

// filled are the values that are not empty.
func filled(values []string) []string {
	found := []string{}
	for _, value := range values {
		if value != "" {
			found = append(found, value)
		}
	}
	return found
}

func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func (w *Console) createReplay(c *fiber.Ctx) error {
	posted, client := readForm(c), visitorOf(c).client
	created, err := client.CreateReplay(c.UserContext(), replayOrder(posted.Values), posted.Value("key"))
	if err == nil {
		return done(c, "/replays/"+url.PathEscape(created.ID), "replay-started")
	}
	status, isShown := posted.refuse(err, replayInputs()...)
	if !isShown {
		return err
	}
	shown, err := readNewReplay(c.UserContext(), client, posted)
	if err != nil {
		return err
	}
	return w.show(c, status, pageOf(shown))
}
