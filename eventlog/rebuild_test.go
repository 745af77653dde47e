package eventlog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/schemas"
)

// rebuilding rebuilds, and calls at before each step.
func (r *rig) rebuilding(ctx context.Context, what eventlog.Rebuilding, at func(step string)) (all []eventlog.Rebuilt, err error) {
	r.tb.Helper()
	err = eventlog.Rebuild(ctx, r.kafka, r.config, r.conn, what, eventlog.RebuildProgress{
		Step: func(_, step string) { at(step) },
		Read: func(int64) {},
		Done: func(done eventlog.Rebuilt) { all = append(all, done) },
	}, r.logger())
	return all, err
}

// rebuilt rebuilds the table of one topic.
func (r *rig) rebuilt(what eventlog.Rebuilding) eventlog.Rebuilt {
	r.tb.Helper()
	all, err := r.rebuilding(r.tb.Context(), what, func(string) {})
	if err != nil {
		r.tb.Fatal(err)
	}
	if len(all) != 1 || !all[0].IsExact() {
		r.tb.Fatalf("%+v", all)
	}
	return all[0]
}

// leftovers checks what a rebuild has left in the database.
func (r *rig) leftovers(want ...string) {
	r.tb.Helper()
	var got []string
	if err := r.conn.QueryRow(r.tb.Context(), "SELECT arraySort(groupArray(name)) FROM system.tables WHERE database = currentDatabase() AND (name LIKE '%rebuild%' OR comment != '')").Scan(&got); err != nil {
		r.tb.Fatal(err)
	}
	if !slices.Equal(got, want) {
		r.tb.Errorf("left behind: %q, want %q", got, want)
	}
}

// forget deletes what Kafka has of a topic below an offset, as retention does.
func (r *rig) forget(topic string, below int64) {
	r.tb.Helper()
	offsets := make(kadm.Offsets)
	for partition := range int32(3) {
		offsets.AddOffset(r.kafka.Topic(topic), partition, below, -1)
	}
	answers, err := kadm.NewClient(r.client).DeleteRecords(r.tb.Context(), offsets)
	if err != nil || answers.Error() != nil {
		r.tb.Fatal(err, answers.Error())
	}
}

func events() eventlog.Rebuilding { return eventlog.Rebuilding{Topics: []string{schemas.EventsTopic}} }

// logged produces records and has the event log write them.
func (r *rig) logged(topic string, records []*kgo.Record) {
	r.tb.Helper()
	produce(r.tb, r.client, records...)
	stop := r.start()
	eventually(r.tb, func() error { return r.allCommitted(topic, len(records)) })
	stop()
}

func TestRebuildMakesDamagedTablesWhatKafkaSays(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(2000)
	r.logged(schemas.EventsTopic, records)
	r.exec("DELETE FROM events WHERE offset % 3 = 0 SETTINGS lightweight_deletes_sync = 2")
	done := r.rebuilt(events())
	r.exact("events", records)
	if done.Records != 2000 || done.Copied != 0 || done.Unknown != 0 || done.Kept != "" {
		t.Errorf("%+v", done)
	}
	r.leftovers()
}

func TestOldTableIsKeptWhereItHasRowsThatKafkaHasNot(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(900)
	r.logged(schemas.EventsTopic, records)
	r.transaction(kgo.TryAbort, r.many(30)...)
	for i, damage := range []string{
		"generateUUIDv4() AS event_id",                                     // the place of a record, and another event
		"generateUUIDv4() AS event_id, offset + 1 AS offset",               // the place of an aborted record
		"generateUUIDv4() AS event_id, received_at - 86400 AS received_at", // of a day of its own
	} {
		r.exec("INSERT INTO events SELECT * REPLACE (" + damage + ") FROM events WHERE partition = 1 ORDER BY offset DESC LIMIT 1")
		done := r.rebuilt(events())
		r.exact("events", records)
		if done.Unknown != 1 || done.Kept != "events_before_rebuild" {
			t.Errorf("%d: %+v, want one unknown row", i, done)
		}
		r.leftovers("events_before_rebuild")
		r.exec("DROP TABLE events_before_rebuild")
	}
}

func TestTwoTopicsOfOneTableAreRebuiltTogether(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	var live, replayed []*kgo.Record
	for range 200 {
		_, meta := r.event(`{"type":"track","event":"A"}`)
		live = append(live, r.decision(meta, schemas.Processed))
		replayed = append(replayed, record(&r.maker, schemas.ReplayedTopic, meta.EventID, schemas.Decision{
			Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event, Status: schemas.Processed,
			ReceivedAt: meta.ReceivedAt, DecidedAt: meta.ReceivedAt.Add(time.Minute), ReplayID: "rpl_1",
		}))
	}
	produce(t, r.client, slices.Concat(live, replayed)...)
	all, err := r.rebuilding(t.Context(), eventlog.Rebuilding{Topics: []string{schemas.ReplayedTopic}}, func(string) {})
	if err != nil || len(all) != 1 || all[0].Records != 400 {
		t.Fatalf("%+v, %v", all, err)
	}
	r.exact("decisions", slices.Concat(live, replayed))
}

func TestRowsBeyondWhatKafkaKeepsSurviveARebuild(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(1500)
	r.logged(schemas.EventsTopic, records)
	r.forget(schemas.EventsTopic, 200)
	done := r.rebuilt(events())
	r.exact("events", records)
	if done.Copied != 600 || done.Records != 900 {
		t.Errorf("%+v, want 600 rows from the old table", done)
	}
	// What goes while it is read is taken from the old table, too.
	all, err := r.rebuilding(t.Context(), events(), func(step string) {
		if step == "filling" {
			r.forget(schemas.EventsTopic, 300)
		}
	})
	if err != nil || len(all) != 1 || !all[0].IsExact() || all[0].Copied != 900 {
		t.Errorf("%+v, %v, want 900 rows from the old table", all, err)
	}
	r.exact("events", records)
}

func TestRebuildFromATimeTakesOlderRowsFromTheOldTable(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(600)
	r.logged(schemas.EventsTopic, records)
	what := events()
	what.From = time.Now().Add(time.Hour)
	if done := r.rebuilt(what); done.Copied != 600 || done.Records != 0 {
		t.Errorf("%+v, want everything from the old table", done)
	}
	r.exact("events", records)
}

func TestRebuildLosesNothingWhileTheEventLogWrites(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(3000)
	r.logged(schemas.EventsTopic, records)
	r.start()
	ctx, cancel := context.WithCancel(t.Context())
	var producing sync.WaitGroup
	producing.Go(func() {
		for ctx.Err() == nil && len(records) < 60_000 {
			some := r.many(200)
			produce(t, r.client, some...)
			records = append(records, some...)
		}
	})
	for range 3 {
		all, err := r.rebuilding(t.Context(), events(), func(string) {})
		if err != nil || len(all) != 1 || !all[0].IsExact() || all[0].Unknown != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	}
	cancel()
	producing.Wait()
	eventually(t, func() error { return r.allCommitted(schemas.EventsTopic, len(records)) })
	r.exact("events", records)
	r.verifies(eventlog.Verified{Topic: schemas.EventsTopic, Records: int64(len(records)), Rows: int64(len(records)), FirstMissing: -1})
	r.leftovers()
}

// TestRebuildThatWasBrokenOffAnywhereIsTakenUp ends it before each of its steps, and also lets the event log write between.
func TestRebuildThatWasBrokenOffAnywhereIsTakenUp(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(900)
	r.logged(schemas.EventsTopic, records)
	r.forget(schemas.EventsTopic, 100)
	var steps []string
	if _, err := r.rebuilding(t.Context(), events(), func(step string) { steps = append(steps, step) }); err != nil {
		t.Fatal(err)
	}
	for _, last := range steps {
		ctx, stop := context.WithCancel(t.Context())
		_, err := r.rebuilding(ctx, events(), func(step string) {
			if step == last {
				stop()
			}
		})
		stop()
		if err == nil {
			t.Fatalf("it went on behind %q", last)
		}
		fresh := r.many(60)
		records = append(records, fresh...)
		produce(t, r.client, fresh...)
		halt := r.start()
		eventually(t, func() error { return r.allCommitted(schemas.EventsTopic, len(records)) })
		halt()
		r.verifiesNothingMissing(last, steps)
		again := events()
		if _, err = r.rebuilding(t.Context(), again, func(string) {}); err != nil {
			if !strings.Contains(err.Error(), "--continue") {
				t.Fatalf("%s: %v, which does not say what to do", last, err)
			}
			again.Continue = true
			r.rebuilt(again)
		} else if last != "planning" && last != "creating" {
			t.Errorf("%s: nobody noticed that a rebuild was broken off", last)
		}
		r.exact("events", records)
		r.leftovers()
	}
	if len(steps) != 10 {
		t.Errorf("steps %q", steps)
	}
}

// verifiesNothingMissing checks that before the swap the old table is as it was.
func (r *rig) verifiesNothingMissing(last string, steps []string) {
	r.tb.Helper()
	if slices.Index(steps, last) > slices.Index(steps, "swapping") {
		return
	}
	if got := r.verified(schemas.EventsTopic); !got.IsExact() {
		r.tb.Errorf("broken off before %s: %+v", last, got)
	}
}

func TestRebuildRefusesWhatItWouldDestroy(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(90)
	r.logged(schemas.EventsTopic, records)
	refused := func(part string) {
		t.Helper()
		all, err := r.rebuilding(t.Context(), events(), func(string) {})
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v, %v, want an error with %q", all, err, part)
		}
		r.exact("events", records)
	}
	r.exec("CREATE TABLE events_rebuild AS events")
	refused("no rebuild made it")
	r.exec("DROP TABLE events_rebuild")
	what := events()
	what.Keep = true
	if done := r.rebuilt(what); done.Kept != "events_before_rebuild" {
		t.Errorf("%+v", done)
	}
	r.leftovers("events_before_rebuild")
	refused("events_before_rebuild is still there")
	r.exact("events_before_rebuild", records)
	r.exec("DROP TABLE events_before_rebuild")
	r.exec("INSERT INTO events SELECT * REPLACE (generateUUIDv4() AS event_id, toInt64(5000) AS offset) FROM events LIMIT 1")
	if _, err := r.rebuilding(t.Context(), events(), func(string) {}); err == nil || !strings.Contains(err.Error(), "was made anew") {
		t.Errorf("got %v, want an error about rows beyond Kafka's end", err)
	}
}

func TestRebuildBringsAChangedTableInForce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(300)
	r.exec("DROP TABLE events")
	var definition string
	r.logged(schemas.RunsTopic, nil)
	if err := r.conn.QueryRow(t.Context(), "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'runs'").Scan(&definition); err != nil {
		t.Fatal(err)
	}
	migration, err := schemas.ClickHouse().Open("clickhouse/0001_events.sql")
	if err != nil {
		t.Fatal(err)
	}
	defer migration.Close()
	text := make([]byte, 1<<16)
	n, err := migration.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	former := strings.NewReplacer(
		"ORDER BY (toStartOfHour(received_at), environment,", "ORDER BY (environment,",
		"    notes        Array(String) CODEC(ZSTD),\n", "", "INTERVAL 30 DAY", "INTERVAL 77 DAY",
	).Replace(string(text[:n]))
	r.exec(former)
	r.exec("INSERT INTO schema_migrations SELECT name, 'former', now64(3) FROM schema_migrations WHERE name LIKE '0001%'")
	if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err == nil || !strings.Contains(err.Error(), "millrace eventlog rebuild") {
		t.Errorf("got %v, want a hint at rebuild", err)
	}
	produce(t, r.client, records...)
	r.rebuilt(events())
	r.exact("events", records)
	var key, query string
	if err := r.conn.QueryRow(t.Context(), "SELECT sorting_key, create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'events'").Scan(&key, &query); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(key, "toStartOfHour(received_at)") || !strings.Contains(query, "toIntervalDay(77)") {
		t.Errorf("order key %s in %s", key, query)
	}
	if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err != nil {
		t.Errorf("the edited migration is still refused: %v", err)
	}
	r.exec("ALTER TABLE events ADD COLUMN mine String")
	r.forget(schemas.EventsTopic, 50)
	if _, err := r.rebuilding(t.Context(), events(), func(string) {}); err == nil || !strings.Contains(err.Error(), "column mine") {
		t.Errorf("got %v, want an error about the column", err)
	}
}

func TestStatementsOfARebuildOnAClusterAreUnderstood(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	config := eventlog.Config{DSN: "clickhouse://a:9000/log", Cluster: "my-cluster", Flush: r.config.Flush}
	for _, table := range []string{"events", "decisions", "audit"} {
		statements, err := eventlog.RebuildStatements(config, table)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, statement := range statements {
			var text string
			if err := r.conn.QueryRow(t.Context(), "SELECT formatQuerySingleLine({statement:String})", clickhouse.Named("statement", statement)).Scan(&text); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
			fmt.Fprintln(&all, text)
		}
		for _, want := range []string{
			"CREATE TABLE " + table + "_rebuild_local ON CLUSTER", "/{table}_17'", `COMMENT 'millrace rebuild {"id":"17"`,
			"CREATE OR REPLACE TABLE " + table + "_rebuild ON CLUSTER `my-cluster` AS " + table + "_rebuild_local",
			"EXCHANGE TABLES " + table + "_local AND " + table + "_rebuild_local ON CLUSTER",
			"RENAME TABLE " + table + "_rebuild_local TO " + table + "_before_rebuild_local ON CLUSTER",
		} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("no statement has %q:\n%s", want, all.String())
			}
		}
	}
}

func TestOfTwoRebuildsAtOnceOneEnds(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(300)
	r.logged(schemas.EventsTopic, records)
	_, err := r.rebuilding(t.Context(), events(), func(step string) {
		switch step {
		case "filling":
			if _, err := r.rebuilding(t.Context(), events(), func(string) {}); err == nil || !strings.Contains(err.Error(), "--continue") {
				t.Errorf("the second one got %v, want to be told of the first", err)
			}
		case "swapping": // by mistake
			what := events()
			what.Continue = true
			r.rebuilt(what)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "another rebuild has taken over") {
		t.Errorf("the first one got %v, want to be told of the second", err)
	}
	r.exact("events", records)
	r.leftovers()
}

func TestRebuildQuarantinesWhatTheEventLogDoes(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	records := r.many(30)
	broken := &kgo.Record{Topic: r.kafka.Topic(schemas.EventsTopic), Value: []byte("no headers")}
	produce(t, r.client, append(records, broken)...)
	done := r.rebuilt(events())
	r.exact("events", records)
	r.exact("quarantine", []*kgo.Record{broken})
	if done.Records != 31 {
		t.Errorf("%+v", done)
	}
}
