package query_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// story is an event log that a test writes by hand, row by row.
type story struct {
	tb     testing.TB
	conn   driver.Conn
	log    *query.Log
	start  time.Time
	events int

	dsn string
}

func newStory(tb testing.TB) *story {
	tb.Helper()
	config := address
	config.DSN = fmt.Sprintf("http://embedded:8123/test_%d", time.Now().UnixNano())
	if err := eventlog.Migrate(tb.Context(), config, slog.New(slog.DiscardHandler)); err != nil {
		tb.Fatal(err)
	}
	conn, err := eventlog.Connect(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &story{tb: tb, conn: conn, log: query.New(conn), dsn: config.DSN, start: time.Now().UTC().Truncate(24 * time.Hour).Add(-10 * time.Second)}
}

// told is one event of the story.
type told struct {
	id       string
	at       time.Time
	source   string
	env      string
	event    string
	message  string
	user     string
	offset   int64
	position int

	properties string // JSON; "" for none
}

func (e told) body() string {
	if e.properties == "" {
		return fmt.Sprintf(`{"n": %d }`, e.position)
	}
	return fmt.Sprintf(`{"n": %d, "properties":%s}`, e.position, e.properties)
}

// event writes an event a second after the one before; the defaults fill what the change leaves as it is.
func (s *story) event(change func(*told)) told {
	s.tb.Helper()
	e := told{
		at: s.start.Add(time.Duration(s.events) * time.Second), source: "src_shop", env: "production", event: "Order Completed",
		message: fmt.Sprintf("m-%d", s.events), user: "u-1", offset: int64(s.events), position: s.events,
	}
	s.events++
	if change != nil {
		change(&e)
	}
	id, err := schemas.NewEventID(e.at)
	if err != nil {
		s.tb.Fatal(err)
	}
	e.id = id.String()
	s.write(e)
	return e
}

func (s *story) write(e told) {
	s.tb.Helper()
	s.insert("events (event_id, source_id, environment, event, message_id, user_id, anonymous_id, timestamp, received_at, body, properties, notes, topic, partition, offset)",
		e.id, e.source, e.env, e.event, e.message, e.user, "anon", e.at.Add(-time.Minute), e.at, e.body(), cmp.Or(e.properties, "{}"), []string{"odd"}, "t.events", int32(1), e.offset)
}

func (s *story) decide(e told, status schemas.Status, later time.Duration, duplicateOf int64, triggers ...schemas.TriggerDecision) {
	s.tb.Helper()
	var ids, workflows, outcomes, reasons, runs []string
	var revisions []int64
	for _, t := range triggers {
		run := t.RunID
		if run == "" {
			run = "00000000-0000-0000-0000-000000000000"
		}
		ids, workflows, outcomes = append(ids, t.TriggerID), append(workflows, t.Workflow), append(outcomes, string(t.Outcome))
		reasons, revisions, runs = append(reasons, t.Reason), append(revisions, t.Revision), append(runs, run)
	}
	partition := int32(1)
	if duplicateOf < 0 {
		partition = -1
	}
	s.insert("decisions (event_id, source_id, environment, event, status, duplicate_of_partition, duplicate_of_offset, input_partition, input_offset,"+
		" received_at, decided_at, triggers.trigger_id, triggers.revision, triggers.workflow, triggers.outcome, triggers.reason, triggers.run_id, topic, partition, offset)",
		e.id, e.source, e.env, e.event, string(status), partition, duplicateOf, int32(1), e.offset,
		e.at, e.at.Add(later), ids, revisions, workflows, outcomes, reasons, runs, "t.decisions", int32(0), int64(e.position))
}

func (s *story) run(e told, trigger, workflow, request string) string {
	s.tb.Helper()
	id := schemas.RunID(trigger, e.id, 0).String()
	s.insert("runs (run_id, environment, source_id, workflow, trigger_id, trigger_revision, event_id, received_at, created_at, request, topic, partition, offset)",
		id, e.env, e.source, workflow, trigger, int64(3), e.id, e.at, e.at.Add(time.Second), request, "t.runs", int32(0), int64(e.position))
	return id
}

func (s *story) attempt(e told, run, workflow string, number int, outcome schemas.DeliveryOutcome) {
	s.tb.Helper()
	s.insert("deliveries (run_id, event_id, environment, workflow, attempt, outcome, attempted_at, latency_ms, status_code, error, response, workflow_run_id, topic, partition, offset)",
		run, e.id, e.env, workflow, uint32(number), string(outcome), e.at.Add(time.Duration(number)*time.Second), 12.5, uint16(503), "no", "busy", "wr-1",
		"t.deliveries", int32(0), int64(e.position*100+number))
}

func (s *story) insert(into string, values ...any) {
	s.tb.Helper()
	batch, err := s.conn.PrepareBatch(s.tb.Context(), "INSERT INTO "+into)
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := batch.Append(values...); err != nil {
		s.tb.Fatal(err)
	}
	if err := batch.Send(); err != nil {
		s.tb.Fatal(err)
	}
}
