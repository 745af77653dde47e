package replay_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

// lows are the offsets that some test lets the partitions begin at: in the middle, at the end, and not at all.
func (w *world) lows(share func(partition int32) float64) func(int32) int64 {
	counts := map[int32]int64{}
	for _, event := range w.events {
		counts[event.partition]++
	}
	return func(partition int32) int64 { return int64(float64(counts[partition]) * share(partition)) }
}

func TestEventsThatLeftTheTopicAreReplayedFromTheLogWithoutASeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(900)...)
	w.decided()
	w.deleteBefore(w.lows(func(partition int32) float64 { return float64(partition) / 2 })) // nothing, half, all
	w.role(nil)
	from := w.start.Add(200 * time.Second)
	r := w.completes(w.wanted(func(r *schemas.Replay) { r.From = from }))
	w.exactly(r, func(trigger schemas.Trigger, event sent) bool {
		return isBig(trigger, event) && !event.ReceivedAt.Before(from)
	})
	if r.Result.Read != 700 || r.Result.Percent() != 100 {
		t.Errorf("%+v", r.Result)
	}
	_, _, records := w.written(r.ID)
	if records != 700 {
		t.Errorf("%d records of 700 runs", records)
	}
	// A time that the topic has nothing of any more ends in the log.
	w.deleteBefore(w.lows(func(int32) float64 { return 1 }))
	to := w.start.Add(300 * time.Second)
	past := w.completes(w.wanted(func(r *schemas.Replay) { r.From, r.To, r.Generation = from, to, 1 }))
	w.exactly(past, func(_ schemas.Trigger, event sent) bool {
		return !event.ReceivedAt.Before(from) && event.ReceivedAt.Before(to)
	})
}

func TestRequestsFromTheLogAreTheSameBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(200)...)
	w.decided()
	w.role(nil)
	whole := func(r *schemas.Replay) {
		r.Generation = 1
		r.Triggers[0].Mapping = schemas.Mapping{Data: map[string]json.RawMessage{"raw": json.RawMessage(`"raw"`)}}
	}
	fromTopic := w.completes(w.wanted(whole))
	w.deleteBefore(w.lows(func(int32) float64 { return 1 }))
	fromLog := w.completes(w.wanted(whole))
	requests := func(id string) map[string]string {
		runs, _, _ := w.written(id)
		byEvent := map[string]string{}
		for _, run := range runs {
			byEvent[run.EventID] = string(run.Request)
		}
		return byEvent
	}
	topic, log := requests(fromTopic.ID), requests(fromLog.ID)
	if len(topic) != 99 || len(log) != 99 {
		t.Fatalf("%d and %d runs", len(topic), len(log))
	}
	for id, request := range topic {
		if log[id] != request {
			t.Fatalf("from the topic %s, from the log %s", request, log[id])
		}
	}
}

func TestReplayGoesOnInTheLogWhenRetentionOvertakesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(600)...)
	w.decided()
	w.role(nil)
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 150 }))
	w.reaches(r.ID, 20)
	w.change(pausing(r.ID))
	w.deleteBefore(w.lows(func(int32) float64 { return 0.8 }))
	w.change(resuming(r.ID))
	r = w.ends(r.ID, schemas.ReplayCompleted)
	w.exactly(r, isBig)
	if r.Result.Read != 600 {
		t.Errorf("%+v", r.Result)
	}
}

// TestWhateverTheTopicHasLostEachEventIsReadOnce lets retention move on at random, with clocks that differ, and compares
// what dry runs of random times read with what was sent.
func TestWhateverTheTopicHasLostEachEventIsReadOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 300 {
		w.send(order{total: i, at: time.Hour + time.Duration(i)*time.Second - time.Duration(i%3)*4*time.Minute})
	}
	w.decided()
	gone := map[int32]float64{}
	rapid.Check(t, func(rt *rapid.T) {
		partition := rapid.Int32Range(0, 2).Draw(rt, "partition")
		gone[partition] = min(1, gone[partition]+rapid.Float64Range(0, 0.1).Draw(rt, "gone"))
		w.deleteBefore(w.lows(func(partition int32) float64 { return gone[partition] }))
		second := rapid.IntRange(-500, 400)
		from, long := second.Draw(rt, "from"), rapid.IntRange(1, 600).Draw(rt, "long")
		asked := w.wanted(func(r *schemas.Replay) {
			r.From = w.start.Add(time.Hour + time.Duration(from)*time.Second)
			r.To = r.From.Add(time.Duration(long) * time.Second)
		})
		var read, created int64
		for _, event := range w.events {
			if event.ReceivedAt.Before(asked.From) || !event.ReceivedAt.Before(asked.To) {
				continue
			}
			read++
			if event.total > 100 {
				created++
			}
		}
		if preview := w.dryRun(asked); preview.Read != read || preview.Created != created {
			rt.Fatalf("read %d of %d events, %d of %d runs, with %v gone", preview.Read, read, preview.Created, created, gone)
		}
	})
}
