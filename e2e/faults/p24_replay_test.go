package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/schemas"
)

// replayed is what came of a replay.
type replayed struct {
	ID, State, Reason string
	Progress          struct{ Read, Skipped, Matched, Created, Existed int }
}

// replay orders a replay of both triggers over the events from the time on and waits until it has ended.
func replay(t *testing.T, f *fleet.Fleet, from, to time.Time, statuses ...schemas.Status) replayed {
	t.Helper()
	url := f.Process("api").URL + "/api/v1/replays"
	var triggers []string
	for _, trigger := range f.Triggers {
		triggers = append(triggers, trigger.ID)
	}
	wanted := map[string]any{
		"source": f.Source.ID, "environment": "production", "from": from, "to": to, "triggers": triggers, "rate": 0,
	}
	if len(statuses) > 0 {
		wanted["statuses"] = statuses
	}
	order, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := rig.Request(http.MethodPost, url, order, nil)
	if err != nil || answer.Status != http.StatusCreated {
		t.Fatalf("ordering a replay: %v, %d %s", err, answer.Status, answer.Body)
	}
	var made replayed
	if err := json.Unmarshal(answer.Body, &made); err != nil {
		t.Fatal(err)
	}
	rig.Eventually(t, "the replay is completed", func() error {
		answer, err := rig.Request(http.MethodGet, url+"/"+made.ID, nil, nil)
		if err == nil {
			err = rig.Decode(answer, &made)
		}
		if err == nil && made.State != string(schemas.ReplayCompleted) {
			err = fmt.Errorf("it is %s: %s; %+v", made.State, made.Reason, made.Progress)
		}
		return err
	})
	return made
}

// calls returns how often the workflow API was called for runs.
func calls(f *fleet.Fleet) (all int) {
	for _, effect := range f.Workflows.Effects() {
		all += effect.Calls
	}
	return all
}

func startWithAPI(f *fleet.Fleet, roles ...string) (ingest string) {
	for _, role := range append(roles, "ingest", "processor", "dispatcher", "api", "replay") {
		f.Start(fleet.Launch{Role: role}).AwaitReady()
	}
	return f.Process("ingest").URL
}

// TestP24ReplayTwiceStartsNothingAndLeavesLiveTrafficAlone replays what is just coming in, and then everything, twice each.
func TestP24ReplayTwiceStartsNothingAndLeavesLiveTrafficAlone(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := startWithAPI(f, "eventlog")
	begin := time.Now().Add(-time.Minute)
	load := f.StartLoad(fleet.Senders{To: []string{ingest}, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	f.Pause(length / 2)
	until := time.Now()
	beside := [2]replayed{replay(t, f, begin, until), replay(t, f, begin, until)}
	if beside[0].Progress.Matched != beside[1].Progress.Matched || beside[0].Progress.Matched == 0 {
		t.Errorf("two replays of the same asked about %+v and %+v", beside[0].Progress, beside[1].Progress)
	}
	f.Pause(time.Until(until.Add(length / 2)))
	seen := load.Stop()
	report := f.Ledger.Check(t)
	for range 2 {
		whole := replay(t, f, begin, time.Now())
		if p := whole.Progress; p.Created != 0 || p.Existed != report.Runs || p.Matched != report.Events-report.Duplicates {
			t.Errorf("a replay of everything found %+v; want all %d runs of %d events", p, report.Runs, report.Events-report.Duplicates)
		}
	}
	awaitReplaysSent(t, f)
	if again := calls(f) - report.Runs; again != 0 {
		t.Errorf("the workflow API was called %d times more than there are runs", again)
	}
	f.Ledger.Check(t)
	t.Logf("figure: 2 replays beside live traffic and 2 of all %d events; %d runs, %d calls for them; %s", report.Events, report.Runs, calls(f), seen)
}

// TestP24RunsThatTheEventLogDoesNotKnowAreNotSentAgain has no event log meanwhile, so that nothing tells the replay which
// runs exist: it makes all of them again, and what keeps them from being sent is what the dispatcher has delivered.
func TestP24RunsThatTheEventLogDoesNotKnowAreNotSentAgain(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := startWithAPI(f)
	begin := time.Now().Add(-time.Minute)
	load := f.StartLoad(fleet.Senders{To: []string{ingest}, PerSecond: 500, Seed: random.Uint64()})
	f.Pause(length / 2)
	load.Stop()
	f.Ledger.Settle(t)
	live := runIDs(t, f, schemas.RunsTopic)
	for i := range 2 {
		if p := replay(t, f, begin, time.Now(), schemas.AnyStatus).Progress; p.Created != len(live) || p.Existed != 0 {
			t.Errorf("replay %d: %+v, want all %d runs made again", i, p, len(live))
		}
	}
	if again := runIDs(t, f, schemas.ReplayRunsTopic); !maps.Equal(again, live) {
		t.Errorf("the replays made %d different runs and live traffic %d, or others", len(again), len(live))
	}
	awaitReplaysSent(t, f)
	if again := calls(f) - len(live); again != 0 {
		t.Errorf("the workflow API was called %d times more than there are runs", again)
	}
	f.Start(fleet.Launch{Role: "eventlog"}).AwaitReady()
	f.Ledger.Check(t)
	t.Logf("figure: %d runs, each made twice more by replays; %d calls", len(live), calls(f))
}

// runIDs returns the IDs of all runs that a topic has.
func runIDs(t *testing.T, f *fleet.Fleet, topic string) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(append(f.Kafka.Options(), kgo.ConsumeTopics(f.Kafka.Topic(topic)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, f.Kafka.Topic(topic))
	if err != nil {
		t.Fatal(err)
	}
	ids, next := map[string]bool{}, map[int32]int64{}
	isRead := func() bool {
		done := true
		ends.Each(func(end kadm.ListedOffset) { done = done && next[end.Partition] >= end.Offset })
		return done
	}
	for !isRead() {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next[record.Partition] = record.Offset + 1
			if record.Attrs.IsControl() {
				return
			}
			run, err := schemas.Decode[schemas.Run](record.Value)
			if err != nil {
				t.Fatal(err)
			}
			ids[run.RunID] = true
		})
	}
	return ids
}

// awaitReplaysSent waits until the dispatcher has finished every run of a replay.
func awaitReplaysSent(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	client, err := kgo.NewClient(f.Kafka.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin, group := kadm.NewClient(client), f.Kafka.Group("dispatcher.replay")
	rig.Eventually(t, "the runs of replays are finished", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ends, err := admin.ListCommittedOffsets(ctx, f.Kafka.Topic(schemas.ReplayRunsTopic))
		if err != nil {
			return err
		}
		done, err := admin.FetchOffsets(ctx, group)
		if err != nil {
			return err
		}
		left := int64(0)
		ends.Each(func(end kadm.ListedOffset) {
			at, _ := done.Lookup(end.Topic, end.Partition)
			left += end.Offset - at.At
		})
		if left > 0 {
			return fmt.Errorf("%d of them are not", left)
		}
		return nil
	})
}
