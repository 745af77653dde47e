package main

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/bench/load/openloop"
	"github.com/millrace/millrace/bench/results"
)

func TestEachFigureHasItsOwnMedian(t *testing.T) {
	turns := []turn{{1, 40, 3, 9}, {3, 10, 1, 7}, {2, 20, 2, 8}}
	if got := medianOf(turns); got != (turn{2, 20, 2, 8}) {
		t.Errorf("of three: %+v", got)
	}
	if got := medianOf(turns[:2]); got != (turn{2, 25, 2, 8}) {
		t.Errorf("of two: %+v", got)
	}
}

func TestContendersTakeTurnsRoundAfterRound(t *testing.T) {
	var order []string
	contenders := []*contender{{name: "a"}, {name: "b"}}
	medians, err := inTurn(t.Context(), 3, contenders, func(_ context.Context, c *contender) (turn, error) {
		order = append(order, c.name)
		return turn{perSecond: float64(len(order))}, nil
	})
	if err != nil || strings.Join(order, "") != "ababab" {
		t.Errorf("%v, %v", order, err)
	}
	if medians[0].perSecond != 3 || medians[1].perSecond != 4 {
		t.Errorf("%+v", medians)
	}
}

func TestRowsAreOursBesideEachOther(t *testing.T) {
	contenders := []*contender{{name: bareFiber, says: "bare"}, {name: prototype, says: "prototype", goal: 0.95}, {name: ours, says: "Millrace"}, {name: benthos, says: "peer", goal: 3}}
	turns := []turn{{40, 10, 1, 2}, {20, 20, 2, 4}, {19.5, 25, 3, 5}, {10, 50, 4, 8}}
	rows := append(throughputRows("64 connections", contenders, turns), latencyRows("2000 requests/s", contenders, turns)...)
	met := map[string]bool{}
	for _, row := range rows {
		if row.Section != section || row.Beside == "Millrace" || row.Theirs == 0 {
			t.Errorf("%+v", row)
		}
		if row.Goal > 0 {
			met[row.Beside] = row.IsMet()
		}
	}
	if len(rows) != 3*2+2*2 || len(met) != 2 || !met["prototype"] || met["peer"] {
		t.Errorf("%d rows, goals %v", len(rows), met)
	}
	var out bytes.Buffer
	printThroughput(&out, "64 connections", contenders, turns)
	printLatency(&out, "2000 requests/s", contenders, turns)
	for _, part := range []string{"peer", "1.95", "0.97", "when a request was due"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in\n%s", part, out.String())
		}
	}
}

func TestAnAnswerThatIsNotTakenIsNoComparison(t *testing.T) {
	for status, isTaken := range map[int]bool{http.StatusNoContent: true, http.StatusOK: true, http.StatusServiceUnavailable: false, 0: false} {
		if err := allTaken(openloop.Paced{Answers: map[int]int{status: 1}}); (err == nil) != isTaken {
			t.Errorf("%d: %v", status, err)
		}
	}
	if allTaken(openloop.Paced{}) == nil {
		t.Error("no answers at all")
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, flag := range []string{"-connections=0", "-connections=a", "-only=prototype", "-only=millrace,nobody", "-rounds=0", "-for=0s", "-rate=-1", "-warm-up=-1s"} {
		if _, err := parse([]string{flag}); err == nil {
			t.Errorf("%s is taken", flag)
		}
	}
	if s, err := parse(nil); err != nil || len(s.only) != len(allNames()) || len(s.connections) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestMillraceAndPrototypesAreMeasuredOnTheEmbeddedBroker(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.json")
	s, err := parse([]string{
		"-only=fiber,validity,prototype,keyed,millrace", "-events=../../schemas/testdata/track-events.ndjson", "-connections=4", "-rounds=1", "-for=200ms", "-warm-up=50ms", "-rate=100",
		"-json=" + file,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := run(ctx, s); err != nil {
		t.Fatal(err)
	}
	rows, err := results.Read(file)
	if err != nil || len(rows) != 4*2+2*2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// TestMain lets the children that a test starts be what the command's are.
func TestMain(m *testing.M) {
	if isChild() {
		main()
		return
	}
	m.Run()
}
