package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// replayView is a replay as pages show it.
type replayView struct{ api.Replay }

// HasBegun tells whether it is known how much there is to read.
func (r replayView) HasBegun() bool { return r.Progress != nil && r.Progress.Total > 0 }

// Why is the reason for which it has failed, or was paused without anybody asking for it.
func (r replayView) Why() string { return sentence(r.Reason) }

// Share is how much of it is done, for people.
func (r replayView) Share() string { return percent(r.Progress.Percent / 100) }

// Rate is how many runs a second it may create.
func (r replayView) Rate() string {
	if r.Replay.Rate == 0 {
		return "unlimited"
	}
	return strconv.FormatFloat(r.Replay.Rate, 'f', -1, 64) + " runs a second"
}

// Speed is how fast it is, "" where nobody knows.
func (r replayView) Speed() string { return speedOf(r.Progress) }

// Left is how long it still takes at this speed, "" where nobody knows.
func (r replayView) Left() string {
	if r.State != schemas.ReplayRunning {
		return ""
	}
	return leftOf(r.Progress)
}

func speedOf(now *api.ReplayProgress) string {
	if now == nil || now.EventsPerSecond == nil {
		return ""
	}
	return number(int64(*now.EventsPerSecond)) + " a second"
}

func leftOf(now *api.ReplayProgress) string {
	if now == nil || now.SecondsLeft == nil {
		return ""
	}
	return duration(max(1, float64(int64(*now.SecondsLeft))) * 1000)
}

// shownNames is how many names of events or triggers a row of the list has.
const shownNames = 3

// EventNames are the names that it is restricted to, as many as a row has room for.
func (r replayView) EventNames() string { return shortList(r.Events) }

// TriggerNames are its triggers, as many as a row has room for.
func (r replayView) TriggerNames() string {
	names := []string{}
	for _, trigger := range r.Triggers {
		names = append(names, cmp.Or(trigger.Name, trigger.Workflow, trigger.ID))
	}
	return shortList(names)
}

func shortList(names []string) string {
	shown := []string{}
	for _, name := range names[:min(shownNames, len(names))] {
		shown = append(shown, cut(name, shownID))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// reason is why a trigger, or the filter, failed, and on how many events.
type reason struct {
	Text  string
	Count int64
}

// shownReasons is how many reasons a page lists; the rest it counts.
const shownReasons = 20

// reasonsOf lists the reasons, the most frequent first, the last of them for those there is no room for.
func reasonsOf(errors map[string]int64) []reason {
	all := []reason{}
	for text, count := range errors {
		all = append(all, reason{text, count})
	}
	slices.SortFunc(all, func(a, b reason) int { return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text)) })
	if len(all) <= shownReasons {
		return all
	}
	rest := reason{Text: number(len(all)-shownReasons+1) + " other reasons"}
	for _, one := range all[shownReasons-1:] {
		rest.Count += one.Count
	}
	return append(all[:shownReasons-1], rest)
}

func countOf(reasons []reason) (sum int64) {
	for _, one := range reasons {
		sum += one.Count
	}
	return sum
}

// Reasons are why triggers failed.
func (r replayView) Reasons() []reason { return reasonsOf(r.Progress.Errors) }

// Failures is how often they did.
func (r replayView) Failures() int64 { return countOf(r.Reasons()) }

// Again is the address of the form of another replay with the same settings.
func (r replayView) Again() string {
	settings := url.Values{
		"source": {r.SourceID}, "environment": {r.Environment}, "from": {timeText(r.From)}, "to": {timeText(r.To)},
		"rate": {strconv.FormatFloat(r.Replay.Rate, 'f', -1, 64)}, "events": r.Events,
	}
	for _, trigger := range r.Triggers {
		settings.Add("triggers", trigger.ID)
	}
	for _, status := range r.Statuses {
		settings.Add("statuses", string(status))
	}
	if r.Where != "" {
		settings.Set("where", r.Where)
	}
	if r.Generation != 0 {
		settings.Set("force", "on")
	}
	return "/replays/new?" + settings.Encode()
}

// Runs is the address of the list of the runs that it has created.
func (r replayView) Runs() string { return "/runs?" + url.Values{"replay": {r.ID}}.Encode() }

// FailedEvents is the address of a search for the events of its time that failed when they came.
func (r replayView) FailedEvents() string {
	return "/logs?" + url.Values{
		"source": {r.SourceID}, "environment": {r.Environment}, "status": {string(schemas.Failed)}, "since": {timeText(r.From)}, "until": {timeText(r.To)},
	}.Encode()
}
