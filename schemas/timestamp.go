package schemas

import (
	"fmt"
	"time"
)

// timestampLayouts are the ISO-8601 forms that SDKs and people write; a fraction of a second is read wherever seconds
// are. A time without a zone is UTC.
func timestampLayouts() [6]string {
	return [...]string{
		time.RFC3339,
		"2006-01-02T15:04:05Z0700",
		"2006-01-02T15:04:05",
		"2006-01-02T15:04Z07:00",
		"2006-01-02T15:04",
		time.DateOnly,
	}
}

// ParseTimestamp reads the ISO-8601 timestamp of an event and returns it in UTC.
func ParseTimestamp(value string) (time.Time, error) {
	for _, layout := range timestampLayouts() {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("timestamp %.40q is not ISO-8601; write it as 2026-01-31T12:00:00.000Z", value)
}
