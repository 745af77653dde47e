package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

func drawCounts(t *rapid.T) counts {
	number := rapid.Int64Range(0, 1<<40)
	c := counts{Read: number.Draw(t, "read"), Skipped: number.Draw(t, "skipped"), Matched: number.Draw(t, "matched"), Created: number.Draw(t, "created"), Existed: number.Draw(t, "existed")}
	for range rapid.IntRange(0, 200).Draw(t, "reasons") {
		c.fail(rapid.StringN(0, 300, 600).Draw(t, "reason"), rapid.Int64Range(1, 1000).Draw(t, "times"))
	}
	return c
}

func total(errors map[string]int64) (sum int64) {
	for times := range maps.Values(errors) {
		sum += times
	}
	return sum
}

func TestCountersFitIntoACommitAndLoseNoError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawCounts(t), drawCounts(t)
		both := a.plus(b)
		if total(both.Errors) != total(a.Errors)+total(b.Errors) || len(both.Errors) > maxReasons+1 || both.Created != a.Created+b.Created {
			t.Fatalf("%+v and %+v are not %+v", a, b, both)
		}
		text, err := both.encode()
		if err != nil || len(text) > maxCountsBytes {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		read, err := decodeCounts(text)
		if err != nil || total(read.Errors) != total(both.Errors) {
			t.Fatalf("%s: %v", text, err)
		}
		read.Errors, both.Errors = nil, nil
		if fmt.Sprint(read) != fmt.Sprint(both) {
			t.Fatalf("%+v was read as %+v", both, read)
		}
	})
}

// TestEachEventOfAPartitionIsDoneOnceInItsOrder reads and finishes in pieces of any size, begins anew from what is
// committed at any moment, and reads places again that it has read already.
func TestEachEventOfAPartitionIsDoneOnceInItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Int64Range(0, 100)
		span := schemas.ReplayRange{Start: offset.Draw(t, "start")}
		span.End = span.Start + offset.Draw(t, "length")
		isWanted := rapid.SliceOfN(rapid.Bool(), 201, 201).Draw(t, "wanted")
		p, at := newPartition(span, checkpoint{}), checkpoint{}
		var done []int64
		for !p.isDone() {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0: // a crash: what is not committed is done again
				p = newPartition(span, at)
			case 1, 2, 3:
				events := rapid.IntRange(0, len(p.pending)).Draw(t, "events")
				for _, e := range p.pending[:events] {
					done = append(done, e.offset)
				}
				p.finish(events, counts{Read: int64(events)})
				at = checkpoint{p.position, p.counts}
			default:
				until := min(p.next+rapid.Int64Range(1, 20).Draw(t, "read"), span.End)
				for next := p.next; next < until; next++ {
					if isWanted[next] {
						p.add(event{offset: next, body: []byte("body")})
					}
				}
				p.pass(until)
			}
			if p.position < span.Start || p.next < p.position || p.next > span.End || p.bytes != 4*len(p.pending) {
				t.Fatalf("%+v in %+v", p, span)
			}
		}
		var want []int64
		for next := span.Start; next < span.End; next++ {
			if isWanted[next] {
				want = append(want, next)
			}
		}
		if !slices.Equal(done, want) || p.counts.Read != int64(len(want)) {
			t.Fatalf("done %v, want %v; counted %d", done, want, p.counts.Read)
		}
	})
}

func TestWindowsStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := int64(firstWindow)
		for range 50 {
			window = nextWindow(window, rapid.IntRange(0, 100_000).Draw(t, "events"), rapid.IntRange(0, 100<<20).Draw(t, "bytes"), rapid.Bool().Draw(t, "cut"))
			if window < 1 || window > maxWindow {
				t.Fatal(window)
			}
		}
	})
}

// TestTriggersAreAskedInTheirOrderAboutWhatTheyAreBoundTo compares with going through the list for each event.
func TestTriggersAreAskedInTheirOrderAboutWhatTheyAreBoundTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		replay := schemas.Replay{Events: rapid.SliceOfNDistinct(name, 0, 2, rapid.ID[string]).Draw(t, "events")}
		bindings := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", schemas.AnyEvent}), 1, 6).Draw(t, "bindings")
		for i, binding := range bindings {
			replay.Triggers = append(replay.Triggers, schemas.Trigger{ID: fmt.Sprint(i), Event: binding, Mapping: schemas.Mapping{Tenant: json.RawMessage(`{"value": "x"}`)}})
		}
		s, err := compile(replay)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{"a", "b", "c"} {
			var want, got []string
			for _, trigger := range replay.Triggers {
				isAsked := len(replay.Events) == 0 || slices.Contains(replay.Events, event)
				if isAsked && (trigger.Event == event || trigger.Event == schemas.AnyEvent) {
					want = append(want, trigger.ID)
				}
			}
			for _, bound := range s.triggers(event) {
				got = append(got, bound.ID)
			}
			isRead := len(s.names) == 0 || slices.Contains(s.names, event)
			if !slices.Equal(got, want) || len(want) > 0 && !isRead {
				t.Fatalf("%s: asked %v, want %v; names %v", event, got, want, s.names)
			}
		}
	})
}
