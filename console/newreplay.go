package console

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

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
