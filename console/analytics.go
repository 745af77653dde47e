package console

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// routeAnalytics lists the pages of this part.
func (w *Console) routeAnalytics(app fiber.Router) {
	app.Get("/analytics", w.showSeries)
	app.Get("/analytics/top", w.showTop)
	app.Get("/analytics/deliveries", w.showDeliveries)
	app.Get("/analytics/matching", w.showMatching)
	app.Get("/analytics/paths", w.listPaths)
	app.Get("/analytics/series.csv", w.seriesFile)
	app.Get("/analytics/top.csv", w.topFile)
	app.Get("/analytics/deliveries.csv", w.deliveriesFile)
	app.Get("/analytics/deliveries-over-time.csv", w.deliveriesOverTimeFile)
	app.Get("/analytics/matching.csv", w.matchingFile)
	app.Get("/analytics/triggers.csv", w.triggersFile)
}

// inquiry is what every page of the analytics begins with: its filter, which the address holds with the names that the
// API has for it.
type inquiry struct {
	Path    string
	Filter  form // with what stands for what was left out
	Choices choices
	Step    query.Interval // of what is shown over time

	inputs []string
	given  url.Values // what the address has of the filter
}

// analyticsSince is how far the pages look back unless they are told.
const analyticsSince = "24h"

// inquire reads the filter of a page.
func inquire(c *fiber.Ctx, path string, inputs []string, defaults url.Values) inquiry {
	given := filterOf(c, inputs)
	shown := maps.Clone(given)
	for name, values := range defaults {
		if !shown.Has(name) {
			shown[name] = values
		}
	}
	if !shown.Has("since") {
		shown.Set("since", analyticsSince)
	}
	return inquiry{Path: path, Filter: form{Values: shown}, Step: stepFor(shown, time.Now()), inputs: inputs, given: given}
}

// asked is the filter as the API takes it, in the names that one of its calls knows.
func (q inquiry) asked(names ...string) url.Values {
	filter := url.Values{}
	for _, name := range names {
		if values, given := q.Filter.Values[name]; given {
			filter[name] = values
		}
	}
	return filter
}

// overTime is the filter of a call that is asked over time.
func (q inquiry) overTime(names ...string) url.Values {
	return with(q.asked(names...), "interval", string(q.Step))
}

// stepFor is the interval that was chosen, or the one of which a chart has some dozens to two hundred.
func stepFor(filter url.Values, now time.Time) query.Interval {
	if chosen := filter.Get("interval"); chosen != "" {
		return query.Interval(chosen)
	}
	switch span := momentOf(filter.Get("until"), now).Sub(momentOf(filter.Get("since"), now)); {
	case span <= 3*time.Hour:
		return query.Minute
	case span <= 7*24*time.Hour:
		return query.Hour
	default:
		return query.Day
	}
}

// momentOf reads a time, or how long ago; what is neither is now, and the API says so.
func momentOf(text string, now time.Time) time.Time {
	if ago, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil {
		return now.Add(-ago)
	}
	if at, err := schemas.ParseTimestamp(text); err == nil {
		return at
	}
	return now
}

// Intervals are what a step can be, but for the one that fits.
func (inquiry) Intervals() []option {
	return []option{{string(query.Minute), "minute"}, {string(query.Hour), "hour"}, {string(query.Day), "day"}}
}

// preset is a time range that can be had with one click.
type preset struct {
	Name, Address string
	IsChosen      bool
}

// Presets are the ranges that people ask for most. The rest of the filter stays.
func (q inquiry) Presets() []preset {
	var presets []preset
	for _, choice := range []option{{"1h", "Last hour"}, {"24h", "Last day"}, {"168h", "Last week"}, {"720h", "Last 30 days"}} {
		filter := with(q.given, "since", choice.Value)
		filter.Del("until")
		filter.Del("interval") // that of another range may be too short for this one
		isChosen := q.Filter.Value("since") == choice.Value && !q.given.Has("until")
		presets = append(presets, preset{choice.Name, q.Path + "?" + filter.Encode(), isChosen})
	}
	return presets
}

// CSV is the address of a table as a file, with the same filter.
func (q inquiry) CSV(name string) string { return "/analytics/" + name + ".csv?" + q.given.Encode() }

// With is the address of the page with one value of its filter changed.
func (q inquiry) With(name, value string) string {
	return q.Path + "?" + with(q.given, name, value).Encode()
}

// tabFilter is what the tabs of the analytics have in common and keep when somebody goes from one to the next.
func tabFilter(c *fiber.Ctx) string {
	kept := filterOf(c, eventInputs("interval"))
	if len(kept) == 0 {
		return ""
	}
	return "?" + kept.Encode()
}

// blame puts a refusal of the page's main part at its input, and returns the status to answer with.
func (q *inquiry) blame(failed *failure) int {
	if failed == nil {
		return fiber.StatusOK
	}
	q.Filter.blame(failed, q.inputs)
	return failed.Status
}

// showAnalytics answers with a page of the analytics.
func (w *Console) showAnalytics(c *fiber.Ctx, status int, p page) error {
	p.Section, p.TabFilter = "/analytics", tabFilter(c)
	return w.show(c, status, p)
}

// eventInputs are the parameters that say which events are counted.
func eventInputs(more ...string) []string {
	return slices.Concat([]string{"source", "environment", "event", "status", "user_id", "where", "since", "until"}, more)
}
