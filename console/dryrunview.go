package console

import (
	"maps"
	"net/url"
	"slices"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// dryRunView is what a dry run has found, as the page shows it.
type dryRunView struct {
	api.DryRun
	Settings url.Values // of the form, with its times fixed: a replay with them goes over the same events
	names    map[string]string
}

// viewDryRun fixes the times of the settings to those that the dry run went over.
func viewDryRun(found api.DryRun, posted url.Values, triggers []triggerChoice) *dryRunView {
	view := &dryRunView{DryRun: found, Settings: url.Values{}, names: map[string]string{}}
	for _, name := range append(replayInputs(), "key") {
		if chosen := filled(posted[name]); len(chosen) > 0 {
			view.Settings[name] = chosen
		}
	}
	view.Settings.Set("from", timeText(found.From))
	view.Settings.Set("to", timeText(found.To))
	for _, trigger := range triggers {
		view.names[trigger.ID] = trigger.Label()
	}
	return view
}

// Hidden are the settings as inputs that nobody sees.
func (v dryRunView) Hidden() []option {
	all := []option{}
	for _, name := range slices.Sorted(maps.Keys(v.Settings)) {
		for _, value := range v.Settings[name] {
			all = append(all, option{Value: value, Name: name})
		}
	}
	return all
}

// TriggerName is what a trigger is called.
func (v dryRunView) TriggerName(id string) string {
	if name, known := v.names[id]; known {
		return name
	}
	return id
}

// Reasons are why triggers failed.
func (v dryRunView) Reasons() []reason { return reasonsOf(v.Errors) }

// Failures is how often they did.
func (v dryRunView) Failures() int64 { return countOf(v.Reasons()) }

// shownSamples is how many samples the page has.
const shownSamples = 10

// FirstSamples are those that the page has room for.
func (v dryRunView) FirstSamples() []schemas.ReplaySample {
	return v.Samples[:min(shownSamples, len(v.Samples))]
}

// Request is what the workflow API would get, indented.
func (dryRunView) Request(sample schemas.ReplaySample) string {
	if sample.RequestIsCut {
		return sample.Request + ellipsis
	}
	return pretty([]byte(sample.Request))
}
