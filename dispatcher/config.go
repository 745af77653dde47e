package dispatcher

import (
	"errors"
	"fmt"
	"time"
)

// keyMemory is how long workflow APIs remember an idempotency key: Knock's documentation says 24 hours. A run sent
// later than that would start twice.
const keyMemory = 24 * time.Hour

// Config are the settings of the dispatcher.
type Config struct {
	Concurrency         int           `help:"Calls to workflow APIs at the same time." default:"64"`
	Timeout             time.Duration `help:"How long one call may take, reading the answer included." default:"30s"`
	FirstRetry          time.Duration `help:"Longest wait before the second attempt; doubles with each attempt." default:"500ms"`
	MaxRetry            time.Duration `help:"Longest wait between two attempts, unless the API asks for more." default:"60s"`
	MaxRetryAfter       time.Duration `help:"Longest wait that an API can ask for with Retry-After." default:"1h"`
	MaxAge              time.Duration `help:"Age at which a run that was not delivered becomes a dead letter." default:"20h"`
	MaxOutstanding      int           `help:"Runs read and not decided yet; at this number reading pauses." default:"5000"`
	MaxOutstandingBytes int64         `help:"Bytes of runs read and not decided yet; at this number reading pauses." default:"134217728"`
	MaxGap              int           `help:"Runs of a partition that a crash may send again; at this number reading the partition pauses." default:"20000"`
	CommitInterval      time.Duration `help:"How often finished runs are committed." default:"1s"`
	DrainTimeout        time.Duration `help:"How long calls in flight may take to finish at shutdown, or when a partition moves away." default:"3s"`
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	return errors.Join(
		atLeastOne("concurrency", int64(c.Concurrency)),
		atLeastOne("max outstanding", int64(c.MaxOutstanding)),
		atLeastOne("max outstanding bytes", c.MaxOutstandingBytes),
		atLeastOne("max gap", int64(c.MaxGap)),
		within("timeout", c.Timeout, time.Millisecond, 10*time.Minute),
		within("first retry", c.FirstRetry, time.Millisecond, c.MaxRetry),
		within("max retry", c.MaxRetry, time.Millisecond, time.Hour),
		within("max retry after", c.MaxRetryAfter, time.Second, keyMemory),
		// A retry is decided before MaxAge and may then wait for a slot and take Timeout: an hour is left for both.
		within("max age", c.MaxAge, time.Second, keyMemory-time.Hour),
		within("commit interval", c.CommitInterval, time.Millisecond, time.Minute),
		// A rebalance waits while a partition drains; brokers expel a member that takes 60 s.
		within("drain timeout", c.DrainTimeout, time.Millisecond, 30*time.Second),
	)
}

func atLeastOne(name string, value int64) error {
	if value < 1 {
		return fmt.Errorf("dispatcher %s %d: must be at least 1", name, value)
	}
	return nil
}

func within(name string, value, least, most time.Duration) error {
	if value < least || value > most {
		return fmt.Errorf("dispatcher %s %s: must lie between %s and %s", name, value, least, most)
	}
	return nil
}
