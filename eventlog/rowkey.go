package eventlog

import (
	"time"

	"github.com/google/uuid"
)

// rowKey says when two records are one row, and which time places that row in a partition of its table.
type rowKey struct {
	column string // the column of the ID by which rows collapse; "" where it is the place in Kafka
	identity
	at time.Time
}

// identity is what rows collapse by.
type identity struct {
	id     uuid.UUID
	replay string // "" where replays make no difference
}

// keyOf takes what a table's decode returned.
func keyOf(fields any) rowKey {
	switch f := fields.(type) {
	case *eventFields:
		return rowKey{"event_id", identity{id: f.id}, f.meta.ReceivedAt}
	case *decisionFields:
		return rowKey{"event_id", identity{f.id, f.ReplayID}, f.ReceivedAt}
	case *runFields:
		return rowKey{"run_id", identity{id: f.id}, f.ReceivedAt}
	case *auditFields:
		return rowKey{"audit_id", identity{id: f.id}, f.At}
	case *rejectionFields:
		return rowKey{at: f.RejectedAt}
	case *deliveryFields:
		return rowKey{at: f.AttemptedAt}
	case *deadLetterFields:
		return rowKey{at: f.Last.AttemptedAt}
	}
	return rowKey{}
}

// identityOf returns the columns of a table that its rows collapse by.
func identityOf(table string) string {
	switch table {
	case "events":
		return "event_id"
	case "decisions":
		return "event_id, replay_id"
	case "runs":
		return "run_id"
	case "audit":
		return "audit_id"
	default:
		return "topic, partition, offset"
	}
}
