package chaos

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// logged is an event of the topic, with what must become of it.
type logged struct {
	eventID string
	status  schemas.Status
	first   int64    // the offset of the first event with its message ID, where it is a repeat
	runs    []string // IDs, sorted
}

// events reads the topic and computes the outcome of each event, by the message IDs alone: nothing of the code under test
// decides here. The test is shorter than the window.
func (w *world) events() []logged {
	w.t.Helper()
	var all []logged
	seen := map[int32]map[string]int64{}
	w.read(schemas.EventsTopic, func(record *kgo.Record) {
		var body struct{ Properties struct{ N int } }
		if err := json.Unmarshal(record.Value, &body); err != nil {
			w.t.Fatal(err)
		}
		headers := map[string]string{}
		for _, header := range record.Headers {
			headers[header.Key] = string(header.Value)
		}
		if seen[record.Partition] == nil {
			seen[record.Partition] = map[string]int64{}
		}
		event := logged{eventID: headers["event_id"], status: schemas.Processed}
		first, repeats := seen[record.Partition][headers["message_id"]]
		if repeats {
			event.status, event.first = schemas.Duplicate, first
		} else {
			seen[record.Partition][headers["message_id"]] = record.Offset
			event.runs = []string{schemas.RunID(w.always.ID, event.eventID, 0).String()}
			if body.Properties.N%2 == 1 {
				event.runs = append(event.runs, schemas.RunID(w.oddOnly.ID, event.eventID, 0).String())
			}
		}
		slices.Sort(event.runs)
		all = append(all, event)
	})
	return all
}

// requireRight compares decisions and runs with what must be: each event one decision, no run missing, none that should
// not be. With exactly_once nothing is there twice; with at_least_once what is there twice is the same.
func (w *world) requireRight(events []logged) {
	w.t.Helper()
	decisions, runs := w.outputs()
	var wrong problems
	wanted := map[string]bool{}
	for _, event := range events {
		for _, run := range event.runs {
			wanted[run] = true
		}
		compare(&wrong, event, decisions[event.eventID])
		delete(decisions, event.eventID)
	}
	for id := range decisions {
		wrong.add("a decision about event %s, which is not in the topic", id)
	}
	for id := range wanted {
		if copies := runs[id]; copies == 0 || copies > 1 && rig.IsCrashSafe() {
			wrong.add("run %s is there %d times", id, copies)
		}
		delete(runs, id)
	}
	for id := range maps.Keys(runs) {
		wrong.add("run %s should not be", id)
	}
	w.t.Logf("%d events and %d runs compared", len(events), len(wanted))
	wrong.report(w.t)
}

func (w *world) outputs() (decisions map[string][]schemas.Decision, runs map[string]int) {
	w.t.Helper()
	decisions, runs = map[string][]schemas.Decision{}, map[string]int{}
	w.read(schemas.DecisionsTopic, func(record *kgo.Record) {
		decision, err := schemas.Decode[schemas.Decision](record.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		decisions[decision.EventID] = append(decisions[decision.EventID], decision)
	})
	w.read(schemas.RunsTopic, func(record *kgo.Record) {
		run, err := schemas.Decode[schemas.Run](record.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		runs[run.RunID]++
	})
	return decisions, runs
}

func compare(wrong *problems, event logged, decisions []schemas.Decision) {
	if len(decisions) == 0 || len(decisions) > 1 && rig.IsCrashSafe() {
		wrong.add("event %s has %d decisions", event.eventID, len(decisions))
	}
	for _, decision := range decisions {
		var runs []string
		for _, trigger := range decision.Triggers {
			if trigger.RunID != "" {
				runs = append(runs, trigger.RunID)
			}
		}
		slices.Sort(runs)
		if decision.Status != event.status || strings.Join(runs, " ") != strings.Join(event.runs, " ") {
			wrong.add("event %s: %s with runs %v, want %s with %v", event.eventID, decision.Status, runs, event.status, event.runs)
		}
		if event.status == schemas.Duplicate && (decision.DuplicateOf == nil || decision.DuplicateOf.Offset != event.first) {
			wrong.add("event %s repeats %v, want offset %d", event.eventID, decision.DuplicateOf, event.first)
		}
	}
}
