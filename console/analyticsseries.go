package console

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// seriesPage shows events over time.
type seriesPage struct {
	inquiry
	Chart part[chart]
}

// shownLines is how many values have a colour of their own in a chart, and fileLines a column in a file.
const (
	shownLines = "8"
	fileLines  = "50"
)

func (w *Console) showSeries(c *fiber.Ctx) error {
	shown := seriesPage{inquiry: inquireSeries(c)}
	client := visitorOf(c).client
	var counted part[query.Series]
	limited, cancel := inTime(c)
	defer cancel()
	filter := shown.seriesFilter(shownLines) // it reads all of the inquiry, which is written to below
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		found, err := client.Series(limited, filter)
		return counted.ask(limited, found, err)
	})
	group.Go(func() (err error) {
		shown.Choices, err = choicesFor(ctx, client)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	status := shown.blame(counted.Failed)
	shown.Chart = part[chart]{Failed: counted.Failed, Loading: counted.Loading}
	if !counted.Loading && counted.Failed == nil {
		var err error
		if shown.Chart.Value, err = shown.chartOf(counted.Value); err != nil {
			return err
		}
	}
	return w.showAnalytics(c, status, page{Name: "analytics", Title: "Events over time", Tab: "/analytics", Loading: counted.Loading, Content: shown})
}

// allOfThem stands in the address for one series of all events, for which the API has no name.
const allOfThem = "all"

func inquireSeries(c *fiber.Ctx) inquiry {
	return inquire(c, "/analytics", eventInputs("by", "interval"), url.Values{"by": {"event"}})
}

// seriesFilter is the filter of a series with so many lines of their own.
func (q inquiry) seriesFilter(lines string) url.Values {
	filter := with(q.overTime(eventInputs("by")...), "top", lines)
	if filter.Get("by") == allOfThem {
		filter.Del("by")
	}
	return filter
}

// Bys are what can be counted by with one click.
func (inquiry) Bys() []option {
	return []option{{"event", "Event"}, {"status", "Outcome"}, {"source", "Source"}, {"environment", "Environment"}, {"user", "User"}}
}

// SeriesBys are those of a series, which can also be of all events.
func (p seriesPage) SeriesBys() []option { return append(p.Bys(), option{allOfThem, "All together"}) }

// chartOf draws the answer: the values with most events in colours of their own.
func (q inquiry) chartOf(counted query.Series) (chart, error) {
	by := q.Filter.Value("by")
	drawing := chart{Step: string(counted.Interval), Times: counted.Times}
	for i, counts := range counted.Series {
		entry := line{Name: q.lineName(by, counts), Tone: fmt.Sprintf("a%d", i%8+1), Counts: counts.Counts, Total: counts.Total}
		switch {
		case counts.Other:
			entry.Tone = "faint"
		case by == "status" && counts.Value != nil:
			entry.Tone = statusTone(*counts.Value)
			entry.Link = q.logsOf(by, counts.Value)
		default:
			entry.Link = q.logsOf(by, counts.Value)
		}
		drawing.Lines = append(drawing.Lines, entry)
	}
	drawing, steps := drawing.fitted()
	drawing.Title = fmt.Sprintf("Events per %s%s", counted.Interval, byTitle(by))
	if steps > 1 {
		drawing.Title = fmt.Sprintf("Events per %d %ss%s", steps, counted.Interval, byTitle(by))
	}
	return drawing.drawn()
}

func (q inquiry) lineName(by string, counts query.Line) string {
	if counts.Other {
		return otherValues
	}
	return q.valueName(by, counts.Value)
}

// byTitle says what is counted by, in the words of the page.
func byTitle(by string) string {
	switch by {
	case allOfThem:
		return ""
	case "status":
		return " by outcome"
	}
	return " by " + cut(by, shownID)
}

// Total is how many events the chart counts.
func (p seriesPage) Total() uint64 {
	total := uint64(0)
	for _, line := range p.Chart.Value.Lines {
		total += line.Total
	}
	return total
}

// Peak is the most events that one bar has.
func (p seriesPage) Peak() uint64 {
	peak := uint64(0)
	for i := range p.Chart.Value.Times {
		sum := uint64(0)
		for _, line := range p.Chart.Value.Lines {
			sum += line.Counts[i]
		}
		peak = max(peak, sum)
	}
	return peak
}

// listPaths answers a script with what can be counted by, for an input to suggest: the names that the API has, and the
// paths of properties that the latest events have.
func (w *Console) listPaths(c *fiber.Ctx) error {
	event := c.Query("event", schemas.AnyEvent)
	paths, err := propertyPaths(c.UserContext(), visitorOf(c).client, event, filterOf(c, []string{"source", "environment"}))
	if err != nil {
		return err
	}
	names := []string{}
	for _, by := range (inquiry{}).Bys() {
		names = append(names, by.Value)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(append(names, paths...))
}

// shownPaths bounds what is suggested.
const shownPaths = 200

// propertyPaths are the paths of properties that can be counted by: those that lead to one value.
func propertyPaths(ctx context.Context, client *api.Client, event string, filter url.Values) ([]string, error) {
	found, err := client.Properties(ctx, event, filter)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, property := range found.Items {
		below, isProperty := strings.CutPrefix(property.Path, "data.")
		if isProperty && property.Types["object"]+property.Types["array"] < property.Events {
			known["properties."+below] = true
		}
	}
	paths := sortedKeys(known)
	return paths[:min(shownPaths, len(paths))], nil
}
