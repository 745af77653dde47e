package query

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// EventDetail is everything that is known about one event.
type EventDetail struct {
	EventItem
	AnonymousID string    `json:"anonymous_id"`
	Body        string    `json:"body"`     // byte for byte as it was posted
	Notes       []string  `json:"notes"`    // what was odd about it, for people
	Decision    *Decision `json:"decision"` // null while undecided
	Runs        []RunItem `json:"runs"`     // that its triggers started
	Attempts    []Attempt `json:"attempts"` // of all its runs, oldest first
	Timeline    []Step    `json:"timeline"` // what happened, in the order of time
}

// Decision is what the processor concluded from an event.
type Decision struct {
	Status      schemas.Status            `json:"status"`
	Reason      string                    `json:"reason,omitempty"`
	DuplicateOf string                    `json:"duplicate_of,omitempty"` // ID of the first event; absent too when that has expired
	DecidedAt   time.Time                 `json:"decided_at"`
	Triggers    []schemas.TriggerDecision `json:"triggers"`
}

// place is where an event lies in Kafka.
type place struct {
	topic string
	schemas.Position
}

// Event returns one event with all that followed from it. It fails with ErrNotFound when there is none, and with a
// *FilterError when the ID is not a UUID.
func (l *Log) Event(ctx context.Context, id string) (EventDetail, error) {
	eventID, err := uuid.Parse(id)
	if err != nil {
		return EventDetail{}, &FilterError{"id", "not a UUID"}
	}
	detail, topic, err := l.event(ctx, eventID)
	if err != nil {
		return EventDetail{}, err
	}
	if detail.Decision, err = l.decision(ctx, detail.EventItem, topic); err != nil {
		return EventDetail{}, err
	}
	if detail.Decision != nil {
		detail.Status = detail.Decision.Status
	}
	if detail.Runs, detail.Attempts, err = l.consequences(ctx, detail.EventItem); err != nil {
		return EventDetail{}, err
	}
	detail.Timeline = detail.timeline()
	return detail, nil
}

// event reads the event and the topic it came from. The time inside its ID is when it was received: only the day around
// it is searched.
func (l *Log) event(ctx context.Context, id uuid.UUID) (EventDetail, string, error) {
	var where filter
	where.add("event_id = {id:UUID}", clickhouse.Named("id", id.String()))
	if at, ok := schemas.EventTime(id); ok {
		where.around(at, at)
	}
	var found []EventDetail
	var topic string
	sql := "SELECT source_id, environment, event, message_id, user_id, received_at, timestamp, anonymous_id, body, notes, topic FROM events" +
		where.sql() + " LIMIT 1"
	err := l.rows(ctx, "event", sql, where.args, func(rows driver.Rows) error {
		detail := EventDetail{EventItem: EventItem{ID: id.String()}}
		err := rows.Scan(&detail.SourceID, &detail.Environment, &detail.Event, &detail.MessageID, &detail.UserID, &detail.ReceivedAt,
			&detail.Timestamp, &detail.AnonymousID, &detail.Body, &detail.Notes, &topic)
		found = append(found, detail)
		return err
	})
	if err != nil {
		return EventDetail{}, "", err
	}
	if len(found) == 0 {
		return EventDetail{}, "", fmt.Errorf("event %s: %w", id, ErrNotFound)
	}
	return found[0], topic, nil
}

// around restricts received_at to a day before and after the times inside IDs: a little more than the two clocks of a
// careless writer differ, and few partitions.
func (f *filter) around(oldest, newest time.Time) {
	const margin = 24 * time.Hour
	f.add(notBefore("received_at", "oldest")+" AND "+notAfter("received_at", "newest"),
		millis("oldest", oldest.Add(-margin)), millis("newest", newest.Add(margin)))
}

// decision reads the latest decision about the event, or nil.
func (l *Log) decision(ctx context.Context, event EventItem, topic string) (*Decision, error) {
	where := ofEvent(event)
	where.add("replay_id = ''")
	var decision *Decision
	var first schemas.Position
	sql := "SELECT status, reason, duplicate_of_partition, duplicate_of_offset, decided_at, triggers.trigger_id, triggers.revision," +
		" triggers.workflow, triggers.outcome, triggers.reason, triggers.run_id FROM decisions" +
		where.sql() + " ORDER BY decided_at DESC LIMIT 1"
	err := l.rows(ctx, "decision", sql, where.args, func(rows driver.Rows) error {
		decision = new(Decision)
		var status string
		var triggers triggerColumns
		err := rows.Scan(&status, &decision.Reason, &first.Partition, &first.Offset, &decision.DecidedAt, &triggers.id, &triggers.revision,
			&triggers.workflow, &triggers.outcome, &triggers.reason, &triggers.runID)
		decision.Status, decision.Triggers = schemas.Status(status), triggers.rows()
		return err
	})
	if err != nil || decision == nil || first.Offset < 0 {
		return decision, err
	}
	decision.DuplicateOf, err = l.eventAt(ctx, place{topic, first}, event.ReceivedAt)
	return decision, err
}

func ofEvent(event EventItem) *filter {
	where := new(filter)
	where.add("event_id = {id:UUID}", clickhouse.Named("id", event.ID))
	where.add(notBefore("received_at", "received_at")+" AND "+notAfter("received_at", "received_at"), millis("received_at", event.ReceivedAt))
	return where
}

// eventAt returns the ID of the event at a place in Kafka, or "" where the log has none. It was received within the
// longest dedup window before the event that repeats it; an hour more allows for clocks that differ.
func (l *Log) eventAt(ctx context.Context, place place, before time.Time) (string, error) {
	const margin = time.Hour
	var found string
	err := l.rows(ctx, "first event", "SELECT event_id FROM events WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64}"+
		" AND "+notBefore("received_at", "after")+" AND "+notAfter("received_at", "until")+" LIMIT 1",
		[]any{
			clickhouse.Named("topic", place.topic), clickhouse.Named("partition", place.Partition), clickhouse.Named("offset", place.Offset),
			millis("after", before.Add(-time.Duration(schemas.MaxWindow)-margin)), millis("until", before.Add(margin)),
		},
		func(rows driver.Rows) error {
			var id uuid.UUID
			err := rows.Scan(&id)
			found = id.String()
			return err
		})
	return found, err
}

// triggerColumns are the nested columns of a decision: one element per trigger in each.
type triggerColumns struct {
	id, workflow, outcome, reason []string
	revision                      []int64
	runID                         []uuid.UUID
}

func (c triggerColumns) rows() []schemas.TriggerDecision {
	rows := make([]schemas.TriggerDecision, len(c.id))
	for i := range rows {
		rows[i] = schemas.TriggerDecision{
			TriggerID: c.id[i], Revision: c.revision[i], Workflow: c.workflow[i], Outcome: schemas.Outcome(c.outcome[i]), Reason: c.reason[i],
		}
		if c.runID[i] != uuid.Nil {
			rows[i].RunID = c.runID[i].String()
		}
	}
	return rows
}
