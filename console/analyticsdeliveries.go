package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog/query"
)

// deliveriesPage shows how runs were delivered: what became of the calls, and how long they took.
type deliveriesPage struct {
	inquiry
	Workflows part[[]query.LatencyItem] // each over the whole time
	Graphs    part[deliveryGraphs]
}

// deliveryGraphs are what deliveries did over time.
type deliveryGraphs struct {
	Outcomes  chart
	Delivered graph // from receiving an event to the end of the call that delivered its run
	Calls     graph
}

func inquireDeliveries(c *fiber.Ctx) inquiry {
	return inquire(c, "/analytics/deliveries", []string{"environment", "workflow", "since", "until", "interval"}, nil)
}

func (w *Console) showDeliveries(c *fiber.Ctx) error {
	shown := deliveriesPage{inquiry: inquireDeliveries(c)}
	client := visitorOf(c).client
	var measured part[query.Latency]
	limited, cancel := inTime(c)
	defer cancel()
	// These read all of the inquiry, which is written to below.
	whole := with(shown.asked("environment", "workflow", "since", "until"), "interval", string(query.All))
	steps := shown.overTime("environment", "workflow", "since", "until")
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		found, err := client.Latency(limited, whole)
		return shown.Workflows.ask(limited, worstFirst(found.Items), err)
	})
	group.Go(func() error {
		found, err := client.Latency(limited, steps)
		return measured.ask(limited, found, err)
	})
	group.Go(func() (err error) {
		shown.Choices, err = choicesFor(ctx, client)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	status := max(shown.blame(shown.Workflows.Failed), shown.blame(measured.Failed))
	shown.Graphs = part[deliveryGraphs]{Failed: measured.Failed, Loading: measured.Loading}
	if !measured.Loading && measured.Failed == nil {
		var err error
		if shown.Graphs.Value, err = shown.graphsOf(measured.Value); err != nil {
			return err
		}
	}
	return w.showAnalytics(c, status, page{
		Name: "deliveries", Title: "Deliveries", Tab: "/analytics/deliveries", Loading: shown.Loading(), Content: shown,
	})
}

// Loading tells whether a part is still to come.
func (p deliveriesPage) Loading() bool { return p.Workflows.Loading || p.Graphs.Loading }

// shownDeliveries is how many workflows the page lists; the file has all.
const shownDeliveries = 100

// Rows are the workflows that the page has room for.
func (p deliveriesPage) Rows() []query.LatencyItem {
	return p.Workflows.Value[:min(shownDeliveries, len(p.Workflows.Value))]
}

// Left is how many there are besides.
func (p deliveriesPage) Left() int { return len(p.Workflows.Value) - len(p.Rows()) }

// Names are the workflows that the filter may mean.
func (p deliveriesPage) Names() []any {
	var names []any
	for _, item := range p.Rows() {
		names = append(names, item.Workflow)
	}
	return names
}

// Runs is the address of a workflow's runs, and Dead that of those that were given up.
func (p deliveriesPage) Runs(workflow string) string {
	return p.otherPage("/runs", "workflow", workflow)
}

// Dead is the address of a workflow's dead letters.
func (p deliveriesPage) Dead(workflow string) string {
	return p.otherPage("/dead-letters", "workflow", workflow)
}

// stepLength is how long a step is.
func stepLength(interval query.Interval) time.Duration {
	if interval == query.Minute {
		return time.Minute
	}
	if interval == query.Hour {
		return time.Hour
	}
	return 24 * time.Hour
}

// maxPoints bounds what is drawn over time, as the API bounds its steps.
const maxPoints = 1500

// timesOf are the steps of an answer, those in which nothing was, too.
func timesOf(since, until time.Time, interval query.Interval) []time.Time {
	var times []time.Time
	for at := since; at.Before(until) && len(times) < maxPoints; at = at.Add(stepLength(interval)) {
		times = append(times, at)
	}
	return times
}

// graphsOf draws the answer: of one workflow its quantiles, of several the quantile that most of their runs keep.
func (q inquiry) graphsOf(measured query.Latency) (deliveryGraphs, error) {
	times := timesOf(measured.Since, measured.Until, q.Step)
	var made deliveryGraphs
	var err error
	if made.Outcomes, err = q.outcomesOf(measured, times); err != nil {
		return made, err
	}
	if made.Delivered, err = q.latencyGraph("From receipt to delivery", measured, times, func(item query.LatencyItem) *query.Quantiles { return item.DeliveredMs }); err != nil {
		return made, err
	}
	made.Calls, err = q.latencyGraph("The call alone", measured, times, func(item query.LatencyItem) *query.Quantiles { return item.CallMs })
	return made, err
}

// outcomesOf draws what became of the calls.
func (q inquiry) outcomesOf(measured query.Latency, times []time.Time) (chart, error) {
	drawing := chart{Step: string(q.Step), Times: times}
	if len(measured.Items) > 0 {
		drawing.Lines = []line{{Name: "delivered", Tone: "good"}, {Name: "tried again later", Tone: "wait"}, {Name: "given up", Tone: "bad", Link: q.otherPage("/dead-letters", "workflow", q.Filter.Value("workflow"))}}
	}
	for i := range drawing.Lines {
		drawing.Lines[i].Counts = make([]uint64, len(times))
	}
	for _, item := range measured.Items {
		at := stepAt(times, item.At)
		if at < 0 {
			continue
		}
		for i, count := range []uint64{item.Delivered, item.Retrying, item.Dead} {
			drawing.Lines[i].Counts[at] += count
			drawing.Lines[i].Total += count
		}
	}
	drawing, steps := drawing.fitted()
	drawing.Title = fmt.Sprintf("Calls per %s by outcome", q.Step)
	if steps > 1 {
		drawing.Title = fmt.Sprintf("Calls per %d %ss by outcome", steps, q.Step)
	}
	return drawing.drawn()
}

// stepAt is the number of the step that begins then, or -1.
func stepAt(times []time.Time, begin time.Time) int {
	at, found := slices.BinarySearchFunc(times, begin, time.Time.Compare)
	if !found {
		return -1
	}
	return at
}

// busiest are the workflows with most calls, as many as there are colours.
func busiest(items []query.LatencyItem) []string {
	calls := map[string]uint64{}
	for _, item := range items {
		calls[item.Workflow] += item.Attempts
	}
	names := sortedKeys(calls)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(calls[b], calls[a]) })
	return names[:min(8, len(names))]
}

func (q inquiry) latencyGraph(title string, measured query.Latency, times []time.Time, of func(query.LatencyItem) *query.Quantiles) (graph, error) {
	workflows := busiest(measured.Items)
	drawing := graph{Title: title, Step: string(q.Step), Times: times, Unit: duration}
	blank := func() []*float64 { return make([]*float64, len(times)) }
	if len(workflows) == 1 {
		for i, name := range []string{"half within", "95% within", "99% within"} {
			drawing.Curves = append(drawing.Curves, curve{Name: name, Tone: []string{"good", "wait", "bad"}[i], Values: blank()})
		}
	} else {
		drawing.Title += ", 95% within"
		for i, workflow := range workflows {
			drawing.Curves = append(drawing.Curves, curve{Name: workflow, Tone: fmt.Sprintf("a%d", i+1), Values: blank(), Link: q.With("workflow", workflow)})
		}
	}
	for _, item := range measured.Items {
		at, number, measure := stepAt(times, item.At), slices.Index(workflows, item.Workflow), of(item)
		switch {
		case at < 0 || number < 0 || measure == nil:
		case len(workflows) == 1:
			drawing.Curves[0].Values[at], drawing.Curves[1].Values[at], drawing.Curves[2].Values[at] = &measure.P50, &measure.P95, &measure.P99
		default:
			drawing.Curves[number].Values[at] = &measure.P95
		}
	}
	return drawing.drawn()
}
