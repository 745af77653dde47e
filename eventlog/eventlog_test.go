package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

func TestEveryTopicBecomesRowsExactlyOnce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := map[string][]*kgo.Record{}
	for i, body := range samples(t) {
		event, meta := r.event(body)
		records["events"] = append(records["events"], event)
		records["decisions"] = append(records["decisions"], r.decision(meta, schemas.Processed, schemas.TriggerDecision{TriggerID: "trg_1", Revision: 3, Outcome: schemas.Matched}))
		run, started := r.run(meta, "trg_1", `{"recipients":["u-1",{"id":"u-2","name":"B"}],"tenant":{"id":"acme"},"data":{"n":1}}`)
		records["runs"] = append(records["runs"], run)
		records["deliveries"] = append(records["deliveries"], r.delivery(started, 1, schemas.Retrying), r.delivery(started, 2, schemas.Delivered))
		if i%10 == 0 {
			records["rejections"] = append(records["rejections"], r.rejection("{bad"))
		}
	}
	r.start()
	for _, topic := range records {
		produce(t, r.client, topic...)
	}
	for table, produced := range records {
		r.reaches(len(produced), "SELECT count() FROM "+table)
		r.exact(table, produced)
	}
	if twice := r.ask("SELECT count() - uniqExact(run_id) FROM runs"); twice != 0 {
		t.Errorf("%d runs are there twice", twice)
	}
	if others := r.ask("SELECT countIf(recipient_ids != ['u-1', 'u-2'] OR tenant != 'acme') FROM runs"); others != 0 {
		t.Errorf("%d runs have other recipients or another tenant", others)
	}
}

func TestBodyIsKeptByteForByteAndOdditiesAreNoted(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.start()
	f := func(body, user, notes string) {
		t.Helper()
		event, meta := r.event(body)
		produce(t, r.client, event)
		r.reaches(1, fmt.Sprintf("SELECT count() FROM events WHERE event_id = '%s'", meta.EventID))
		var gotBody, gotUser string
		var gotNotes []string
		var timestamp time.Time
		err := r.conn.QueryRow(t.Context(), fmt.Sprintf("SELECT body, user_id, notes, timestamp FROM events WHERE event_id = '%s'", meta.EventID)).
			Scan(&gotBody, &gotUser, &gotNotes, &timestamp)
		if err != nil || gotBody != body || gotUser != user || strings.Join(gotNotes, "; ") != notes {
			t.Errorf("%s: got %q, user %q, notes %q, %v", body, gotBody, gotUser, gotNotes, err)
		}
		if notes != "" && !timestamp.Equal(meta.ReceivedAt) {
			t.Errorf("%s: timestamp %s, want received_at %s", body, timestamp, meta.ReceivedAt)
		}
	}
	f(" {\"type\":\"track\",\n\"event\":\"\\u00c4 'x' \\\\ \\t\",\"userId\":\"ü\\u0000'\"}\t", "ü\x00'", "")
	f(`{"type":"track","event":"A","messageId":""}`, "", "message ID ignored: it must have 1 to 255 bytes")
	f(`{"type":"track","event":"A","timestamp":"0001-01-01T00:00:01Z","userId":"u"}`, "u", "timestamp outside 1900..2262: received_at stands in")
	f(`{"type":"track","event":"A","timestamp":"9999-12-31T23:59:59Z"}`, "", "timestamp outside 1900..2262: received_at stands in")
	f(`[]`, "", "body not understood: the body is an array; post one event per request")
}

func TestRestartsMidWayLoseAndDoubleNothing(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.Flush.Rows = 500
	events := r.many(15_000)
	produce(t, r.client, events...)
	for round := 1; round <= 4; round++ {
		stop := r.start()
		r.reaches(round*3000, "SELECT count() FROM events")
		stop()
	}
	r.start()
	r.reaches(len(events), "SELECT count() FROM events")
	r.exact("events", events)
	if copies := r.ask("SELECT count() FROM events"); copies != uint64(len(events)) {
		t.Errorf("%d rows for %d records: a clean stop left an insert without a commit", copies, len(events))
	}
}

func TestStoppingWritesAndCommitsWhatWasRead(t *testing.T) {
	r := newWatchedRig(t, sharedEngine(t))
	r.config.Flush.Interval = time.Second
	stop := r.start()
	events := r.many(101)
	produce(t, r.client, events[0])
	r.reaches(1, "SELECT count() FROM events")
	produce(t, r.client, events[1:]...)
	r.fetched(len(events))
	stop()
	r.exact("events", events)
	if committed := r.committed(); committed != int64(len(events)) {
		t.Errorf("%d records are committed, %d were written", committed, len(events))
	}
}

func TestOnlyWhatIsMissingIsInsertedAfterAnAssignment(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.exec("SYSTEM STOP MERGES events")
	events := r.many(3000)
	produce(t, r.client, events...)
	stop := r.start()
	r.reaches(len(events), "SELECT count() FROM events")
	stop()
	// As an owner leaves it that was killed in an insert over midnight: one day's part is there, the other only in part,
	// and nothing was committed.
	r.exec("SYSTEM START MERGES events")
	r.exec("DELETE FROM events WHERE received_at > toStartOfDay(received_at) + INTERVAL 1 HOUR AND offset % 3 = 0 SETTINGS lightweight_deletes_sync = 2")
	r.exec("SYSTEM STOP MERGES events")
	if left := r.ask("SELECT count() FROM events"); left == 0 || left == uint64(len(events)) {
		t.Fatalf("%d rows left, want some", left)
	}
	r.rewind()
	r.start()
	r.reaches(len(events), "SELECT count() FROM events")
	eventually(t, func() error {
		if committed := r.committed(); committed != int64(len(events)) {
			return fmt.Errorf("%d committed", committed)
		}
		return nil
	})
	r.exact("events", events)
	if copies := r.ask("SELECT count() FROM events"); copies != uint64(len(events)) {
		t.Errorf("%d rows for %d records: rows that were there were inserted again", copies, len(events))
	}
}

func TestMembersThatComeAndGoLeaveEachRecordOnce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.Flush.Rows = 400
	events := r.many(8_000)
	r.start()
	for chunk := range slices.Chunk(events, 2000) {
		stop := r.start()
		produce(t, r.client, chunk...)
		r.reaches(1, "SELECT count() FROM events")
		stop()
	}
	r.reaches(len(events), "SELECT uniqExact(event_id) FROM events")
	r.exact("events", events)
}

func TestRepeatedDecisionsAndRunsCollapse(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	_, meta := r.event(`{"type":"track","event":"A"}`)
	first := r.decision(meta, schemas.Failed)
	run, _ := r.run(meta, "trg_1", `{"recipients":["u"]}`)
	again, _ := r.run(meta, "trg_1", `{"recipients":["u"]}`)
	meta.ReceivedAt = meta.ReceivedAt.UTC()
	second := r.decision(meta, schemas.Failed)
	r.start()
	produce(t, r.client, first, run)
	r.reaches(1, "SELECT count() FROM runs")
	produce(t, r.client, second, again)
	r.reaches(2, "SELECT max(offset) + 1 FROM runs")
	r.reaches(2, "SELECT max(offset) + 1 FROM decisions")
	if runs, decisions := r.ask("SELECT count() FROM runs FINAL"), r.ask("SELECT count() FROM decisions FINAL"); runs != 1 || decisions != 1 {
		t.Errorf("%d runs and %d decisions, want one of each", runs, decisions)
	}
}

// allCommitted tells whether the offsets of a topic are committed up to its nth record or beyond.
func (r *rig) allCommitted(topic string, n int) error {
	r.tb.Helper()
	if committed := r.committedOf(topic); committed < int64(n) {
		return fmt.Errorf("%d of %d records of %s are committed", committed, n, topic)
	}
	return nil
}

func (r *rig) isEmpty(table string) error {
	r.tb.Helper()
	if rows := r.ask("SELECT count() FROM " + table); rows > 0 {
		return fmt.Errorf("%d rows are in %s", rows, table)
	}
	return nil
}

func (r *rig) committed() int64 {
	r.tb.Helper()
	return r.committedOf(schemas.EventsTopic)
}

func (r *rig) committedOf(topic string) int64 {
	r.tb.Helper()
	offsets, err := kadm.NewClient(r.client).FetchOffsets(context.Background(), r.kafka.Group("eventlog"))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // as long as nobody has joined
		r.tb.Fatal(err)
	}
	var sum int64
	for _, partition := range offsets[r.kafka.Topic(topic)] {
		sum += max(0, partition.At)
	}
	return sum
}

// rewind makes the group start over.
func (r *rig) rewind() {
	r.tb.Helper()
	if _, err := kadm.NewClient(r.client).DeleteGroup(context.Background(), r.kafka.Group("eventlog")); err != nil {
		r.tb.Fatal(err)
	}
}
