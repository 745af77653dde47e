package schemas

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Key is the 16-byte hash that places an event in a partition and identifies it to the dedup store.
type Key [16]byte

// NewEventID returns a UUIDv7 whose time is receivedAt in milliseconds, so that an event ID alone tells where in the
// event log to look. It fails only when the system has no randomness.
func NewEventID(receivedAt time.Time) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, err
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(receivedAt.UnixMilli())<<16)
	copy(id[:6], ms[:6])
	return id, nil
}

// EventTime returns the time inside an event ID, to the millisecond, and false for an ID that carries none.
func EventTime(id uuid.UUID) (time.Time, bool) {
	if id.Version() != 7 {
		return time.Time{}, false
	}
	var ms [8]byte
	copy(ms[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC(), true
}

// DedupKey hashes environment, source ID, event name and message ID: two events are candidates for being duplicates if
// and only if their keys are equal. Each part is preceded by its length, so that no two lists of parts look alike.
func DedupKey(environment, sourceID, event, messageID string) Key {
	return hashKey(environment, sourceID, event, messageID)
}

// EventKey hashes an event ID. It is the key of an event that has no message ID and is therefore never a duplicate.
func EventKey(eventID string) Key { return hashKey(eventID) }

// RunKey hashes a run's ID. It is the run's key in the index of what was delivered.
func RunKey(runID string) Key { return hashKey("delivered", runID) }

// RunID derives a run's ID from its trigger, its event and the replay generation (0 for live traffic), so that a retry
// or a replay of the same decision yields the same run.
func RunID(triggerID, eventID string, generation int64) uuid.UUID {
	id := uuid.UUID(hashKey("run", triggerID, eventID, strconv.FormatInt(generation, 10)))
	id[6] = id[6]&0x0f | 0x80 // version 8: the format of our own (RFC 9562, section 5.8)
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id
}

func hashKey(parts ...string) Key {
	var room [512]byte // more than almost every list of parts takes
	text := room[:0]
	for _, part := range parts {
		text = binary.BigEndian.AppendUint32(text, uint32(len(part)))
		text = append(text, part...)
	}
	full := sha256.Sum256(text)
	return Key(full[:16])
}
