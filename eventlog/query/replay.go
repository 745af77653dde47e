package query

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// What follows is asked by replays, which go along a partition of the events topic.

// Span is a part of a partition of the events topic, and which of the events in it are meant.
type Span struct {
	Topic       string // of the events, with its prefix
	Partition   int32
	First       int64 // offset
	Until       int64 // offset, excluded
	Environment string
	Source      string    // ID
	Names       []string  // of events; none stands for all
	From        time.Time // received from then on
	To          time.Time // and before then
}

// StoredEvent is an event as it was received, and where it lies in its partition.
type StoredEvent struct {
	schemas.EventMeta
	Offset int64
	Body   []byte
}

// where restricts to the span, by the columns that tell the place in the events topic.
func (s Span) where(partition, offset string) *filter {
	f := new(filter)
	f.equals("environment", s.Environment)
	f.equals("source_id", s.Source)
	f.between("received_at", s.From, s.To)
	if len(s.Names) > 0 {
		f.add("event IN {names:Array(String)}", clickhouse.Named("names", s.Names))
	}
	f.add(partition+" = {partition:Int32}", clickhouse.Named("partition", s.Partition))
	f.add(offset+" >= {first_offset:Int64} AND "+offset+" < {until_offset:Int64}", clickhouse.Named("first_offset", s.First), clickhouse.Named("until_offset", s.Until))
	return f
}

func (s Span) events() *filter {
	f := s.where("partition", "offset")
	f.equals("topic", s.Topic)
	return f
}

// Bounds returns the least offset of the span's events, and the one after the greatest; false where there are none.
func (l *Log) Bounds(ctx context.Context, span Span) (first, until int64, found bool, err error) {
	where := span.events()
	var count uint64
	err = l.rows(ctx, "bounds of events", "SELECT count(), min(offset), max(offset) + 1 FROM events"+where.sql(), where.args, func(rows driver.Rows) error {
		return rows.Scan(&count, &first, &until)
	})
	return first, until, count > 0, err
}

// Stored returns the span's events in the order of their offsets, each once, and the offset to go on from: before the
// span's end where the bodies are more than maxBytes together.
func (l *Log) Stored(ctx context.Context, span Span, maxBytes int) (events []StoredEvent, next int64, err error) {
	where := span.events()
	sql := "SELECT event_id, event, message_id, received_at, offset, body FROM events" + where.sql() + " ORDER BY offset LIMIT 1 BY offset"
	bytes := 0
	err = l.rows(ctx, "events to replay", sql, where.args, func(rows driver.Rows) error {
		event := StoredEvent{EventMeta: schemas.EventMeta{SourceID: span.Source, Environment: span.Environment}}
		var id uuid.UUID
		if err := rows.Scan(&id, &event.Event, &event.MessageID, &event.ReceivedAt, &event.Offset, &event.Body); err != nil {
			return err
		}
		if bytes += len(event.Body); bytes > maxBytes && len(events) > 0 {
			return errEnough
		}
		event.EventID, event.ReceivedAt = id.String(), event.ReceivedAt.UTC()
		events = append(events, event)
		return nil
	})
	if errors.Is(err, errEnough) {
		return events, events[len(events)-1].Offset + 1, nil
	}
	return events, span.Until, err
}

// Statuses returns what the processor decided on the span's events, by offset. An event it has not decided on, or whose
// decision is not written yet, is missing.
func (l *Log) Statuses(ctx context.Context, span Span) (map[int64]schemas.Status, error) {
	where := span.where("input_partition", "input_offset")
	where.add("replay_id = ''")
	statuses := map[int64]schemas.Status{}
	sql := "SELECT input_offset, argMax(status, decided_at) FROM decisions" + where.sql() + " GROUP BY input_offset"
	err := l.rows(ctx, "decisions", sql, where.args, func(rows driver.Rows) error {
		var offset int64
		var status string
		err := rows.Scan(&offset, &status)
		statuses[offset] = schemas.Status(status)
		return err
	})
	return statuses, err
}

// Outcomes returns what triggers did with the span's events when they came, by offset.
func (l *Log) Outcomes(ctx context.Context, span Span, triggers []string) (map[int64][]schemas.TriggerDecision, error) {
	where := span.where("input_partition", "input_offset")
	where.add("replay_id = ''")
	where.add("hasAny(triggers.trigger_id, {triggers:Array(String)})", clickhouse.Named("triggers", triggers))
	outcomes := map[int64][]schemas.TriggerDecision{}
	sql := "SELECT input_offset, triggers.trigger_id, triggers.outcome FROM decisions" + where.sql() + " ORDER BY input_offset, decided_at DESC LIMIT 1 BY input_offset"
	err := l.rows(ctx, "decisions", sql, where.args, func(rows driver.Rows) error {
		var offset int64
		var ids, results []string
		if err := rows.Scan(&offset, &ids, &results); err != nil {
			return err
		}
		for i, id := range ids {
			outcomes[offset] = append(outcomes[offset], schemas.TriggerDecision{TriggerID: id, Outcome: schemas.Outcome(results[i])})
		}
		return nil
	})
	return outcomes, err
}

// KnownRun is a run that was created before.
type KnownRun struct {
	ReplayID string            // the replay that made it; "" for live traffic
	Request  [sha256.Size]byte // the hash of its request
}

// runsAtOnce bounds how many IDs are in one question.
const runsAtOnce = 5_000

// KnownRuns returns which of some runs have been created, but for those that a replay has made. They follow from events
// of the span's source, environment and time; its other members do not matter.
func (l *Log) KnownRuns(ctx context.Context, of Span, ids []string, notOf string) (map[string]KnownRun, error) {
	known := map[string]KnownRun{}
	for len(ids) > 0 {
		some := ids[:min(runsAtOnce, len(ids))]
		ids = ids[len(some):]
		var where filter
		where.equals("environment", of.Environment)
		where.equals("source_id", of.Source)
		where.between("received_at", of.From, of.To)
		where.add("replay_id != {replay:String}", clickhouse.Named("replay", notOf))
		where.add("run_id IN {ids:Array(UUID)}", clickhouse.Named("ids", some))
		err := l.rows(ctx, "runs", "SELECT run_id, replay_id, SHA256(request) FROM runs"+where.sql(), where.args, func(rows driver.Rows) error {
			var id uuid.UUID
			var run KnownRun
			var hash string
			err := rows.Scan(&id, &run.ReplayID, &hash)
			copy(run.Request[:], hash)
			known[id.String()] = run
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}
