package console

import (
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// triggerView is a trigger as people know it.
type triggerView struct{ schemas.Trigger }

// Title is what people call it.
func (t triggerView) Title() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Workflow
}

// IsActive tells whether it starts runs.
func (t triggerView) IsActive() bool { return t.Status == schemas.TriggerActive }

// EventName is the name it is bound to, "" for every name.
func (t triggerView) EventName() string {
	if t.Event == schemas.AnyEvent {
		return ""
	}
	return t.Event
}

// shownCondition is how many bytes of a condition a list shows.
const shownCondition = 120

// ShortCondition is the condition in one line.
func (t triggerView) ShortCondition() string {
	return cut(strings.Join(strings.Fields(t.Condition), " "), shownCondition)
}

// Logs is the address of the events that it is bound to.
func (t triggerView) Logs(more ...string) string {
	filter := url.Values{"source": {t.SourceID}, "environment": {t.Environment}}
	if t.Event != schemas.AnyEvent {
		filter.Set("event", t.Event)
	}
	for i := 0; i+1 < len(more); i += 2 {
		filter.Set(more[i], more[i+1])
	}
	return "/logs?" + filter.Encode()
}

// triggerPage is everything about a trigger.
type triggerPage struct {
	Trigger triggerView
	Source  string // name
	Deleted bool   // then the trigger is what it was last
	Mapping []mappingLine
	More    int      // rows of the mapping that are not shown
	Others  []option // environments that it can be copied to
	Counts  part[outcomeCounts]
	Runs    part[[]query.RunItem]
	Failed  part[[]query.EventItem]
	History part[history] // for those who may write
	Form    form          // of what was refused: the trigger's buttons have no inputs
	Copy    form
}

// What the page has of what the event log knows.
const (
	latestRuns   = "5"
	latestEvents = "5"
)

func (w *Console) showTrigger(c *fiber.Ctx) error {
	shown, err := w.readTrigger(c)
	if refusedWith(err, fiber.StatusNotFound) && visitorOf(c).MayWrite() {
		return w.showDeleted(c, err)
	}
	if err != nil {
		return err
	}
	return w.showTriggerAs(c, fiber.StatusOK, shown)
}

func (w *Console) showTriggerAs(c *fiber.Ctx, status int, shown triggerPage) error {
	return w.show(c, status, page{
		Name: "trigger", Title: shown.Trigger.Title(), Section: "/triggers", Notice: notice(c), Loading: shown.Loading(), Content: shown,
	})
}

// Loading tells whether a part is still to come.
func (p triggerPage) Loading() bool {
	return p.Counts.Loading || p.Runs.Loading || p.Failed.Loading || p.History.Loading
}

// readTrigger reads what the page shows, its forms filled with what is.
func (w *Console) readTrigger(c *fiber.Ctx) (triggerPage, error) {
	var shown triggerPage
	visitor := visitorOf(c)
	if err := visitor.client.Get(c.UserContext(), api.Path("triggers", unescaped(c, "id")), &shown.Trigger.Trigger); err != nil {
		return shown, err
	}
	trigger := shown.Trigger
	shown.fill()
	shown.Copy.Values = url.Values{"name": {trigger.Name}}
	limited, cancel := inTime(c)
	defer cancel()
	var known choices
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		known, err = choicesFor(ctx, visitor.client)
		return err
	})
	shown.askLog(limited, group, visitor.client)
	if visitor.MayWrite() {
		group.Go(func() error {
			found, err := historyOf(limited, visitor.client, trigger.ID, c.Query("history"))
			return shown.History.ask(limited, found.against(&trigger.Trigger), err)
		})
	}
	err := group.Wait()
	shown.Source, shown.History.Value = known.SourceName(trigger.SourceID), shown.History.Value.named(known)
	for _, environment := range known.Environments {
		if environment.Value != trigger.Environment {
			shown.Others = append(shown.Others, environment)
		}
	}
	return shown, err
}

// askLog asks the event log what the trigger did. Environment and source leave out most of what there is to look through.
func (p *triggerPage) askLog(ctx context.Context, group *errgroup.Group, client *api.Client) {
	of := url.Values{"trigger": {p.Trigger.ID}, "environment": {p.Trigger.Environment}, "source": {p.Trigger.SourceID}}
	group.Go(func() error {
		counts, err := countOutcomes(ctx, client, of)
		return p.Counts.ask(ctx, counts, err)
	})
	group.Go(func() error {
		found, err := client.Runs(ctx, with(of, "limit", latestRuns))
		return p.Runs.ask(ctx, found.Items, err)
	})
	group.Go(func() error {
		failed := with(with(of, "limit", latestEvents), "since", "24h")
		failed["outcome"] = []string{string(schemas.MappingError), string(schemas.ConditionError)}
		found, err := client.Events(ctx, failed)
		return p.Failed.ask(ctx, found.Items, err)
	})
}

// fill chooses what of the mapping the page has.
func (p *triggerPage) fill() {
	p.Mapping = mappingLines(p.Trigger.Mapping)
	p.More = max(0, len(p.Mapping)-shownMapping)
	p.Mapping = p.Mapping[:len(p.Mapping)-p.More]
}
