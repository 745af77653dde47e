package console

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// timeRange is how far back the overview looks.
type timeRange struct {
	Since   string // as the API takes it
	Name    string
	Step    query.Interval // what one bar is
	Refresh int            // seconds until the page looks again
}

func timeRanges() []timeRange {
	return []timeRange{
		{"1h", "Last hour", query.Minute, 10},
		{"24h", "Last day", query.Hour, 60},
		{"168h", "Last week", query.Day, 300},
	}
}

// overviewPage is what the overview shows. Its parts fail one by one: an event log that is slow hides no source.
type overviewPage struct {
	Ranges  []timeRange
	Range   timeRange
	Recent  part[[]query.EventItem]
	Lag     lag
	Chart   part[chart]
	Totals  part[totals]
	Latency part[[]query.LatencyItem]
	Health  []health
	First   *firstSteps // until there is an event
}

// totals are the counts of the overview.
type totals struct {
	query.DedupItem
	Runs uint64 // that were started
}

func (w *Console) overview(c *fiber.Ctx) error {
	shown := overviewPage{Ranges: timeRanges(), Range: timeRanges()[0]}
	for _, choice := range shown.Ranges {
		if choice.Since == c.Query("since") {
			shown.Range = choice
		}
	}
	client := visitorOf(c).client
	var refused part[[]query.RejectionItem]
	var sources part[[]api.Source]
	since := url.Values{"since": {shown.Range.Since}}
	limited, cancel := inTime(c)
	defer cancel()
	group, ctx := errgroup.WithContext(limited)
	group.Go(func() error {
		found, err := client.Events(ctx, url.Values{"limit": {strconv.Itoa(recentEvents)}})
		return shown.Recent.ask(ctx, found.Items, err)
	})
	group.Go(func() error {
		drawn, err := eventChart(ctx, client, shown.Range.Step, since)
		return shown.Chart.ask(ctx, drawn, err)
	})
	group.Go(func() error {
		counted, err := countTotals(ctx, client, since)
		return shown.Totals.ask(ctx, counted, err)
	})
	group.Go(func() error {
		found, err := client.Latency(ctx, with(since, "interval", string(query.All)))
		return shown.Latency.ask(ctx, worstFirst(found.Items), err)
	})
	group.Go(func() error {
		found, err := client.Rejections(ctx, with(since, "limit", strconv.Itoa(maxRefused)))
		return refused.ask(ctx, found.Items, err)
	})
	group.Go(func() error {
		found, err := listOf[api.Source](c.UserContext(), client, "/sources", nil)
		return sources.ask(c.UserContext(), found, err)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	shown.Lag = lagOf(shown.Recent.Value, time.Now())
	shown.Health = healthOf(shown, refused)
	if shown.Recent.Failed == nil && !shown.Recent.Loading && len(shown.Recent.Value) == 0 {
		shown.First = stepsFor(sources.Value)
	}
	return w.show(c, fiber.StatusOK, page{Name: "overview", Title: "Overview", Section: "/", Loading: shown.Loading(), Content: shown})
}

// Loading tells whether a part is still to come.
func (p overviewPage) Loading() bool {
	return p.Recent.Loading || p.Chart.Loading || p.Totals.Loading || p.Latency.Loading
}

// Workflows are those that the overview has room for.
func (p overviewPage) Workflows() []query.LatencyItem {
	return p.Latency.Value[:min(shownWorkflows, len(p.Latency.Value))]
}

// MoreWorkflows is how many there are besides.
func (p overviewPage) MoreWorkflows() int { return len(p.Latency.Value) - len(p.Workflows()) }

// shownWorkflows is how many workflows the overview lists.
const shownWorkflows = 10

// worstFirst puts workflows whose runs were given up on top, then the busy ones.
func worstFirst(items []query.LatencyItem) []query.LatencyItem {
	slices.SortStableFunc(items, func(a, b query.LatencyItem) int {
		return cmp.Or(cmp.Compare(b.Dead, a.Dead), cmp.Compare(b.Delivered, a.Delivered))
	})
	return items
}

// What the overview looks at: of the latest events, and of the requests that were refused.
const (
	recentEvents = 50
	maxRefused   = 100
)

// latest is when the latest event came.
func (p overviewPage) latest() time.Time {
	if len(p.Recent.Value) == 0 {
		return time.Time{}
	}
	return p.Recent.Value[0].ReceivedAt
}

// Dead is how many runs were given up.
func (p overviewPage) Dead() uint64 {
	dead := uint64(0)
	for _, item := range p.Latency.Value {
		dead += item.Dead
	}
	return dead
}

// Failures are the events that could not be processed, and the runs that could not be delivered.
func (p overviewPage) Failures() uint64 { return p.Totals.Value.Failed + p.Dead() }

// PerMinute is how many events there were on average.
func (p overviewPage) PerMinute() uint64 {
	length, err := time.ParseDuration(p.Range.Since)
	if err != nil {
		return 0
	}
	return uint64(math.Round(float64(p.Totals.Value.Events) / length.Minutes()))
}

// eventChart counts events by what became of them.
func eventChart(ctx context.Context, client *api.Client, step query.Interval, filter url.Values) (chart, error) {
	counted, err := client.Series(ctx, with(with(filter, "by", "status"), "interval", string(step)))
	if err != nil {
		return chart{}, err
	}
	drawing := chart{Title: fmt.Sprintf("Events per %s by outcome", step), Step: string(step), Times: counted.Times}
	for _, counts := range counted.Series {
		status := ""
		if counts.Value != nil {
			status = *counts.Value
		}
		drawing.Lines = append(drawing.Lines, line{Name: words(status), Tone: statusTone(status), Counts: counts.Counts, Total: counts.Total, Link: "/logs?" + with(filter, "status", status).Encode()})
	}
	slices.SortStableFunc(drawing.Lines, func(a, b line) int { return slices.Index(toneOrder(), a.Tone) - slices.Index(toneOrder(), b.Tone) })
	return drawing.drawn()
}

// toneOrder is how the lines of a chart of outcomes stand on each other, so that an outcome keeps its place.
func toneOrder() []string { return []string{"good", "idle", "faint", "wait", "bad"} }

// statusTone is the colour of a status in a chart, where two of the same tone must not look the same.
func statusTone(status string) string {
	if status == "no_trigger" {
		return "faint"
	}
	return tone(status)
}

func countTotals(ctx context.Context, client *api.Client, since url.Values) (totals, error) {
	counted, err := client.Dedup(ctx, with(since, "interval", string(query.All)))
	if err != nil {
		return totals{}, err
	}
	var sums totals
	if len(counted.Items) > 0 {
		sums.DedupItem = counted.Items[0]
	}
	for _, trigger := range counted.Triggers {
		sums.Runs += trigger.Matched
	}
	return sums, nil
}
