package eventlog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// TestWriterKilledEverySecondLeavesEachRecordOnce kills the writer's process again and again under load, stops the engine in
// between, and compares counts and checksums of each partition with what Kafka acknowledged. MILLRACE_CHAOS_DURATION is
// how long (12s), MILLRACE_CHAOS_SEED repeats a run's choices.
func TestWriterKilledEverySecondLeavesEachRecordOnce(t *testing.T) {
	length, seed := chaosSettings(t)
	t.Logf("repeat with MILLRACE_CHAOS_SEED=%d MILLRACE_CHAOS_DURATION=%s", seed, length)
	random := rand.New(rand.NewPCG(seed, 0))
	engine := newStoppable(t)
	r := newRig(t, engine.engine)
	r.config.DialContext = engine.dial
	r.conn = connect(t, r.config)
	writer := &writerProcess{rig: r, addr: engine.listen(t)}
	t.Cleanup(writer.kill)
	load := r.startChaosLoad()
	began, uncommitted := time.Now(), 0
	away := min(30*time.Second, length/3)
	for kills := 0; time.Since(began) < length; kills++ {
		writer.start()
		if kills > 0 && !engine.wasStopped && time.Since(began) > length/3 {
			engine.stopFor(t, away)
		}
		pause(t, time.Second/2+time.Duration(random.Int64N(int64(time.Second))))
		writer.kill()
		if r.ask("SELECT uniqExact(event_id) FROM events") > uint64(r.committed()) {
			uncommitted++
		}
	}
	produced := load.stop()
	writer.start()
	for topic, sums := range produced {
		r.catchesUp(topic, sums)
	}
	writer.end()
	t.Logf("%d kills, of which %d left rows that were not committed; the engine was away for %s; %d records", writer.kills, uncommitted, away, load.records.Load())
	for topic, sums := range produced {
		if got := r.verified(topic); !got.IsExact() || got.Waiting != 0 || got.Records != sums.count() {
			t.Errorf("%s: %+v, want %d records", topic, got, sums.count())
		}
		r.requireSums(topic, sums)
	}
}

func chaosSettings(t *testing.T) (time.Duration, uint64) {
	t.Helper()
	length, seed := 12*time.Second, uint64(time.Now().UnixNano())
	var err error
	if text := os.Getenv("MILLRACE_CHAOS_DURATION"); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("MILLRACE_CHAOS_SEED"); text != "" {
		if _, err = fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	return length, seed
}

// pause lets time pass: when a fault comes is what a chaos test chooses.
func pause(t *testing.T, length time.Duration) {
	t.Helper()
	select {
	case <-time.After(length):
	case <-t.Context().Done():
		t.Fatal("the test has ended")
	}
}
