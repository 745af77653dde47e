package console_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// analyticsViews are the pages of this part that are worth a look.
func analyticsViews() []view {
	busy, empty := busyShop(), emptyShop()
	refused := func(path, field, message string) func(*fakeAPI) {
		return func(f *fakeAPI) { f.refuse["GET /analytics/"+path] = refusal{400, "invalid_filter", field, message} }
	}
	return []view{
		{name: "analytics", path: "/analytics", knows: busy},
		{name: "analytics-week", path: "/analytics?since=168h&by=status&interval=minute", knows: busy, change: refused("series", "interval", "these are 10081 steps, at most 1500 are possible; take longer ones, or a shorter time with since and until")},
		{name: "analytics-property", path: "/analytics?since=1h&by=properties.plan&where=properties.total%3E100", knows: busy, open: true},
		{name: "analytics-empty", path: "/analytics?event=Nothing", knows: empty},
		{name: "analytics-refused", path: "/analytics?by=plan", knows: busy, change: refused("series", "by", "must be one of source, environment, event, status and user, or a property such as properties.currency")},
		{name: "analytics-top", path: "/analytics/top?by=user", knows: busy},
		{name: "analytics-top-empty", path: "/analytics/top", knows: empty},
		{name: "deliveries", path: "/analytics/deliveries?since=1h", knows: busy},
		{name: "deliveries-workflow", path: "/analytics/deliveries?since=1h&workflow=order-confirmation", knows: busy, open: true},
		{name: "deliveries-empty", path: "/analytics/deliveries", knows: empty},
		{name: "matching", path: "/analytics/matching?since=1h", knows: busy},
		{name: "matching-empty", path: "/analytics/matching", knows: empty},
		{name: "matching-slow", path: "/analytics/matching", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /analytics/dedup"] = refusal{503, "too_slow", "", "the event log took too long; ask for less time"}
		}},
	}
}

// analyticsPaths are its pages, of the busy shop.
func analyticsPaths() []string {
	return []string{"/analytics", "/analytics?by=properties.plan", "/analytics/top", "/analytics/deliveries?since=1h", "/analytics/matching?since=1h"}
}

// analyticsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) analyticsAnswer(r *http.Request, path string, _ api.Me) (status int, answer any) {
	asked := r.URL.Query()
	interval := query.Interval(asked.Get("interval"))
	isEmpty := len(f.world.events) == 0
	switch {
	case isEmpty && path == "/analytics/top":
		return 200, query.Top{By: "event", Since: noon().Add(-time.Hour), Until: noon(), Items: []query.TopValue{}}
	case isEmpty:
		return 0, nil
	case path == "/analytics/top":
		return 200, topOf(asked.Get("by"))
	case path == "/analytics/series" && asked.Has("top") && asked.Get("by") != "source":
		return 200, seriesBy(asked.Get("by"), interval)
	case path == "/analytics/latency" && interval != query.All:
		return 200, latencyOverTime(asked.Get("workflow"))
	case path == "/analytics/dedup" && interval != query.All:
		return 200, dedupOverTime(f.world.dedup)
	}
	return 0, nil
}

// valuesBy are the values that the busy shop's events have, most often the first.
func valuesBy(by string) []string {
	switch by {
	case "status":
		return []string{"processed", "no_trigger", "duplicate", "failed"}
	case "source":
		return []string{shopID, mobileID}
	case "environment":
		return []string{"production", "development"}
	case "user":
		return []string{"ada", "grace", "edsger", "barbara", "alan", "donald", "=HYPERLINK(\"https://evil.example\")", "ken"}
	case "properties.plan":
		return []string{"free", "team", "business", "100", "-1", "true"}
	case "":
		return nil
	}
	return []string{"Product Viewed", "Order Completed", "Cart Abandoned", "Signed Up", "Order Refunded", "App Opened", "Coupon Entered", "Newsletter Left"}
}

// seriesBy has a line for each value, one for events without any, and one for all others.
func seriesBy(by string, interval query.Interval) query.Series {
	length := map[query.Interval]time.Duration{query.Minute: time.Minute, query.Hour: time.Hour, query.Day: 24 * time.Hour}[interval]
	counted := query.Series{Interval: interval, Since: noon().Add(-48 * length), Until: noon()}
	for i := range 48 {
		counted.Times = append(counted.Times, counted.Since.Add(time.Duration(i)*length))
	}
	add := func(value *string, isOther bool, size int) {
		line := query.Line{Value: value, Other: isOther}
		for i := range counted.Times {
			count := uint64(size*(20+(i*7+size)%11) + (i*i)%13)
			line.Counts, line.Total = append(line.Counts, count), line.Total+count
		}
		counted.Series = append(counted.Series, line)
	}
	for i, value := range valuesBy(by) {
		add(&value, false, 18-2*i)
	}
	switch by {
	case "":
		add(nil, false, 40)
	case "properties.plan":
		add(nil, false, 3)
		add(nil, true, 1)
	case "event":
		add(nil, true, 2)
	}
	return counted
}

func topOf(by string) query.Top {
	top := query.Top{By: by, Since: noon().Add(-24 * time.Hour), Until: noon(), Total: 200_000, Items: []query.TopValue{}}
	for i, value := range valuesBy(by) {
		top.Items = append(top.Items, query.TopValue{Value: &value, Count: uint64(61_000 / (i + 1))})
	}
	if by == "user" {
		top.Items = append(top.Items, query.TopValue{Count: 1250})
	}
	return top
}

// latencyOverTime is an hour by the minute, in which nothing was called for a while.
func latencyOverTime(workflow string) query.Latency {
	measured := query.Latency{Since: noon().Add(-time.Hour), Until: noon(), Items: []query.LatencyItem{}}
	for number, name := range []string{"cart-reminder", "order-confirmation"} {
		for minute := range 60 {
			if workflow != "" && workflow != name || minute > 20 && minute < 28 && minute != 24 {
				continue
			}
			wave := float64((minute*minute*7+5*number)%23) * 3
			call := query.Quantiles{P50: 20 + wave/4, P90: 45 + wave/2, P95: 60 + wave, P99: 110 + 3*wave, Max: 400 + 9*wave}
			whole := query.Quantiles{P50: call.P50 + 30, P90: call.P90 + 50, P95: call.P95 + float64(60*(number+1)), P99: call.P99 + 200, Max: call.Max + 900}
			measured.Items = append(measured.Items, query.LatencyItem{
				Workflow: name, At: measured.Since.Add(time.Duration(minute) * time.Minute), Attempts: uint64(300 + minute), Delivered: uint64(296 + minute),
				Retrying: uint64(minute % 5), Dead: uint64(minute / 58), CallMs: &call, DeliveredMs: &whole,
			})
		}
	}
	return measured
}

// dedupOverTime spreads the sums over an hour by the minute.
func dedupOverTime(sums query.Dedup) query.Dedup {
	sums.Items = []query.DedupItem{}
	for minute := range 60 {
		events, repeats := uint64(1400+(minute*37)%300), uint64(90+(minute*17)%80)
		item := query.DedupItem{At: sums.Since.Add(time.Duration(minute) * time.Minute), Events: events, Duplicates: repeats, Processed: 900, NoTrigger: events - repeats - 900, Matched: uint64(700 + (minute*29)%150)}
		item.DedupRate, item.MatchRate = float64(repeats)/float64(events), float64(item.Matched)/float64(events-repeats)
		sums.Items = append(sums.Items, item)
	}
	for i, workflow := range []string{"cart-reminder", "welcome", "refund-notice"} {
		sums.Triggers = append(sums.Triggers, query.TriggerMatch{
			TriggerID: fmt.Sprintf("trg_%032d", i+2), Workflow: workflow, Considered: uint64(9000 / (i + 1)), Matched: uint64(4000 / (i + 1)), ConditionFalse: uint64(5000 / (i + 1)), Inactive: uint64(i * 40), MatchRate: 0.44,
		})
	}
	return sums
}
