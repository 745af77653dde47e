package ledger

import (
	"time"

	"github.com/millrace/millrace/schemas"
)

// receipt is when an event was received, by the clock of who did.
type receipt struct {
	at   place
	when time.Time
}

// repeated reports whether an event was received before under this message ID within the window before it, or after it by
// another clock, and where the first one is: of the earliest hour with such a one, the first event.
func (b *book) repeated(messageID string, partition int32, when time.Time) (first place, repeats bool) {
	horizon := when.Add(-time.Duration(schemas.DefaultWindow))
	var hour time.Time
	for _, earlier := range b.received[messageID] {
		if earlier.at.partition != partition || earlier.when.Before(horizon) {
			continue
		}
		if began := earlier.when.Truncate(time.Hour); !repeats || began.Before(hour) {
			hour, repeats = began, true
		}
	}
	for _, earlier := range b.received[messageID] {
		if repeats && earlier.at.partition == partition && earlier.when.Truncate(time.Hour).Equal(hour) {
			return earlier.at, true // before the horizon or not
		}
	}
	return place{}, false
}
