package console

import (
	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog/query"
)

// matchingPage shows how many events were repeats, and what triggers did with the others.
type matchingPage struct {
	inquiry
	Found part[query.Dedup]
	Rates graph
}

func inquireMatching(c *fiber.Ctx) inquiry {
	return inquire(c, "/analytics/matching", []string{"source", "environment", "event", "since", "until", "interval"}, nil)
}

func (w *Console) showMatching(c *fiber.Ctx) error {
	shown := matchingPage{inquiry: inquireMatching(c)}
	client := visitorOf(c).client
	limited, cancel := inTime(c)
	defer cancel()
	filter := shown.overTime("source", "environment", "event", "since", "until") // it reads all of the inquiry, which is written to below
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		found, err := client.Dedup(limited, filter)
		return shown.Found.ask(limited, found, err)
	})
	group.Go(func() (err error) {
		shown.Choices, err = choicesFor(ctx, client)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	status := shown.blame(shown.Found.Failed)
	var err error
	if shown.Rates, err = shown.ratesOf(shown.Found.Value); err != nil {
		return err
	}
	return w.showAnalytics(c, status, page{
		Name: "matching", Title: "Dedup and matching", Tab: "/analytics/matching", Loading: shown.Found.Loading, Content: shown,
	})
}

// ratesOf draws the rates of each step that had events.
func (q inquiry) ratesOf(found query.Dedup) (graph, error) {
	times := timesOf(found.Since, found.Until, q.Step)
	drawing := graph{Title: "Dedup rate and match rate", Step: string(q.Step), Times: times, Unit: percent, Top: 1, Curves: []curve{
		{Name: "repeats of all events", Tone: "idle", Values: make([]*float64, len(times)), Link: q.logs("status", "duplicate")},
		{Name: "matched of the others", Tone: "good", Values: make([]*float64, len(times))},
	}}
	for _, item := range found.Items {
		if at := stepAt(times, item.At); at >= 0 {
			drawing.Curves[0].Values[at] = &item.DedupRate
			if item.Events > item.Duplicates {
				drawing.Curves[1].Values[at] = &item.MatchRate
			}
		}
	}
	return drawing.drawn()
}

// Sum is all steps together.
func (p matchingPage) Sum() query.DedupItem { return sumOf(p.Found.Value.Items) }

func sumOf(items []query.DedupItem) query.DedupItem {
	var sum query.DedupItem
	for _, item := range items {
		sum.Events, sum.Duplicates, sum.Processed = sum.Events+item.Events, sum.Duplicates+item.Duplicates, sum.Processed+item.Processed
		sum.NoTrigger, sum.Failed, sum.Matched = sum.NoTrigger+item.NoTrigger, sum.Failed+item.Failed, sum.Matched+item.Matched
	}
	sum.DedupRate, sum.MatchRate = share(sum.Duplicates, sum.Events), share(sum.Matched, sum.Events-sum.Duplicates)
	return sum
}

// Logs is the address of the events with a status.
func (p matchingPage) Logs(status string) string { return p.logs("status", status) }

// shownTriggers is how many triggers the page lists; the file has all that the API gives.
const shownTriggers = 100

// Rows are the triggers that the page has room for.
func (p matchingPage) Rows() []query.TriggerMatch {
	return p.Found.Value.Triggers[:min(shownTriggers, len(p.Found.Value.Triggers))]
}

// Left is how many there are besides.
func (p matchingPage) Left() int { return len(p.Found.Value.Triggers) - len(p.Rows()) }
