package console

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// eventPage is everything that is known about an event.
type eventPage struct {
	Event    api.Event
	Source   string // name
	Pretty   string
	Posted   string
	IsCut    bool // the body is longer than is shown
	Steps    []query.Step
	Triggers part[map[string]triggerView] // by ID, as far as there are any yet
	Runs     []runView
	More     int  // runs that are not shown
	Waiting  bool // something is still to come
}

// runView is a run with its latest attempts.
type runView struct {
	query.RunItem
	Attempts []query.Attempt
	More     int // earlier attempts that are not shown
}

// What a page has of an event that has a lot; the API has all of it, and the body can be downloaded.
const (
	shownBody     = 24 << 10 // bytes
	shownInput    = 4 << 10  // bytes of a run's recipients, its data, or an answer
	shownRuns     = 20
	shownAttempts = 20
	shownSteps    = 200
)

func (w *Console) showEvent(c *fiber.Ctx) error {
	client := visitorOf(c).client
	var event api.Event
	var sources []api.Source
	var triggers part[map[string]triggerView]
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		if event, err = readEvent(ctx, client, unescaped(c, "id")); err != nil {
			return err
		}
		found, err := triggersFor(ctx, client, event.EventItem)
		return triggers.ask(ctx, found, err)
	})
	group.Go(func() (err error) {
		sources, err = listOf[api.Source](ctx, client, "/sources", nil)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	shown := eventPage{Event: event, Source: event.SourceID, Triggers: triggers, Waiting: isWaiting(event)}
	for _, source := range sources {
		if source.ID == event.SourceID {
			shown.Source = source.Name
		}
	}
	shown.fill()
	return w.show(c, fiber.StatusOK, page{Name: "event", Title: event.Event, Section: "/logs", Content: shown})
}

// fill chooses what of the event the page has.
func (p *eventPage) fill() {
	p.Posted, p.Pretty = cut(p.Event.Body, shownBody), cut(pretty([]byte(p.Event.Body)), shownBody)
	p.IsCut = len(p.Event.Body) > shownBody || strings.HasSuffix(p.Pretty, ellipsis)
	p.Steps = p.Event.Timeline[:min(shownSteps, len(p.Event.Timeline))]
	for i, run := range p.Event.Runs {
		if i >= shownRuns {
			p.More++
			continue
		}
		view := runView{RunItem: run}
		for _, attempt := range p.Event.Attempts {
			if attempt.RunID == run.ID {
				view.Attempts = append(view.Attempts, attempt)
			}
		}
		view.More = max(0, len(view.Attempts)-shownAttempts)
		view.Attempts = view.Attempts[view.More:]
		p.Runs = append(p.Runs, view)
	}
}

// isWaiting tells whether something is still to come: a decision, a run that was decided on and has not reached the event
// log, or the end of one.
func isWaiting(event api.Event) bool {
	if event.Decision == nil {
		return true
	}
	known := map[string]bool{}
	for _, run := range event.Runs {
		known[run.ID] = true
		if run.Status == query.Pending || run.Status == query.Retrying {
			return true
		}
	}
	return slices.ContainsFunc(event.Decision.Triggers, func(t schemas.TriggerDecision) bool { return t.RunID != "" && !known[t.RunID] })
}

func readEvent(ctx context.Context, client *api.Client, id string) (api.Event, error) {
	event, err := client.Event(ctx, id)
	slices.SortStableFunc(event.Timeline, func(a, b query.Step) int { return a.At.Compare(b.At) })
	return event, err
}

// Recipients writes whom a run is for.
func (r runView) Recipients() string {
	if len(r.RunItem.Recipients) == 1 {
		return pretty(r.RunItem.Recipients[0])
	}
	raw, err := json.Marshal(r.RunItem.Recipients)
	if err != nil {
		return ""
	}
	return pretty(raw)
}

// downloadBody sends the body as it was posted. It is data of others: no browser may take it for a page.
func (w *Console) downloadBody(c *fiber.Ctx) error {
	event, err := visitorOf(c).client.Event(c.UserContext(), unescaped(c, "id"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="event-`+event.ID+`.json"`)
	return c.SendString(event.Body)
}

// recentlyReceived is how long after its receipt a page about an event looks again for what is still to come.
const recentlyReceived = time.Hour

// Refreshes tells whether the page should look again for what is still to come.
func (p eventPage) Refreshes() bool {
	return p.Waiting && time.Since(p.Event.ReceivedAt) < recentlyReceived
}
