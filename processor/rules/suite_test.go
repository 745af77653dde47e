package rules_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// attackTime is how much processor time an attack may take, from its source to the refusal.
const attackTime = 50 * time.Millisecond * slowdown

// TestAttackedProcessOf512MegabytesLivesAndRefusesEachAttackWithin50Milliseconds runs every attack as a condition and as
// a mapping, in a child.
func TestAttackedProcessOf512MegabytesLivesAndRefusesEachAttackWithin50Milliseconds(t *testing.T) {
	output, isParent, err := inChild(t, func() { attackAll(t) })
	if isParent && (err != nil || !strings.Contains(output, "--- PASS: "+t.Name())) {
		t.Errorf("%v: %.4000s", err, output)
	}
}

func attackAll(t *testing.T) {
	t.Helper()
	var worst time.Duration
	for _, attacks := range [][]attack{refusedAttacks(), boundedAttacks(), unfoldingAttacks()} {
		for _, a := range attacks {
			worst = max(worst, endure(t, withData(t, a.source), bombBody()))
			worst = max(worst, endure(t, withCondition(asCondition(a.source)), bombBody()))
		}
	}
	for _, trigger := range heavyTriggers(t) {
		worst = max(worst, endure(t, trigger, bombBody()))
	}
	for _, body := range heavyBodies() {
		worst = max(worst, endure(t, withData(t, `data == data`), body))
	}
	t.Log("the worst took", worst)
}

// asCondition makes a condition of a source whose value is of any type.
func asCondition(source string) string {
	if _, err := rules.Compile(withCondition(source)); err == nil {
		return source
	}
	return `type((` + source + `)) == "?"`
}

// heavyTriggers are within the limits in each part and beyond them as a whole.
func heavyTriggers(t *testing.T) []schemas.Trigger {
	t.Helper()
	data := map[string]json.RawMessage{}
	for i := range 200 {
		data["k"+string(rune('A'+i))] = encoded(t, map[string]string{"expr": `sum(map(1..1000, # * 2))`})
	}
	recipients := encoded(t, map[string]string{"expr": `map(1..1000, {"id": data.s})`})
	return []schemas.Trigger{
		{Mapping: schemas.Mapping{Data: data}},
		{Mapping: schemas.Mapping{Recipients: recipients}},
		{Mapping: schemas.Mapping{Recipients: encoded(t, "data.xs")}},
		{Condition: `data.s matches "^(a+)+$" and data.s matches "(a|aa)+b" or data.s matches "(.*)*,(.*)*x"`},
	}
}

// heavyBodies are events that ingest refuses: somebody else wrote them to the topic.
func heavyBodies() []string {
	const size = 5_000_000
	return []string{
		`{"properties":` + strings.Repeat("[", size) + strings.Repeat("]", size) + `}`,
		`{"properties":` + strings.Repeat(`{"a":`, size/5) + `1` + strings.Repeat("}", size/5) + `}`,
		`{"properties":{"a":` + strings.Repeat("9", size) + `}}`,
		`{"properties":"` + strings.Repeat(`\u0061`, size/6),
	}
}

// endure runs an attack and returns how long it took: the shortest of some tries, because neighbours of the process, and
// not the attack, make for the longest.
func endure(t *testing.T, trigger schemas.Trigger, body string) time.Duration {
	t.Helper()
	var best time.Duration
	for try := range 5 {
		took, outcome := attackOnce(trigger, body)
		if outcome == schemas.Matched {
			t.Errorf("%.80s %.80s: it matched", trigger.Condition, encoded(t, trigger.Mapping))
		}
		if try == 0 || took < best {
			best = took
		}
		if best < attackTime/2 {
			break
		}
	}
	if best > attackTime {
		t.Errorf("%.80s %.80s %.40s: took %s", trigger.Condition, encoded(t, trigger.Mapping), body, best)
	}
	return best
}

// processorTime is what the process has had of the machine's processors. Unlike the time of day it does not pass while
// others have them.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it fails on wrong arguments only
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// attackOnce compiles and evaluates a trigger. One that does not compile is as good as refused by its evaluation.
func attackOnce(trigger schemas.Trigger, body string) (time.Duration, schemas.Outcome) {
	trigger.Status = schemas.TriggerActive
	began := processorTime()
	compiled, err := rules.Compile(trigger)
	if err != nil {
		return processorTime() - began, schemas.ConditionError
	}
	result := compiled.Evaluate(eventOf(body))
	return processorTime() - began, result.Outcome
}
