package dispatcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"

	"github.com/millrace/millrace/telemetry"
)

// keyMemory is how long workflow APIs remember an idempotency key: Knock's documentation says 24 hours. A run sent
// later than that would start twice.
const keyMemory = 24 * time.Hour

// Config are the settings of the dispatcher.
type Config struct {
	Concurrency         int           `help:"Calls at the same time to the workflow API of an environment that has no number of its own." default:"256"`
	WorkflowConcurrency int           `help:"Calls at the same time for one workflow at most; they get fewer while its API gets slower." default:"128"`
	ReplayConcurrency   int           `help:"Calls at the same time for runs of replays to the workflow API of an environment, at most a quarter of all calls to it." default:"32"`
	ReplayRate          float64       `help:"Runs of replays that are started each second at most; 0 is without limit. Live runs have no such limit." default:"1000"`
	Timeout             time.Duration `help:"How long one call may take, reading the answer included." default:"30s"`
	FirstRetry          time.Duration `help:"Longest wait before the second attempt; doubles with each attempt." default:"500ms"`
	MaxRetry            time.Duration `help:"Longest wait between two attempts, unless the API asks for more." default:"60s"`
	RetryInPlace        time.Duration `help:"How long a run is tried again before it is put into a retry topic, to come back after 1 min, then 10 min, then every hour." default:"2m"`
	MaxRetryAfter       time.Duration `help:"Longest wait that an API can ask for with Retry-After." default:"1h"`
	MaxAge              time.Duration `help:"Age at which a run that was not delivered becomes a dead letter." default:"20h"`
	BreakerDelay        time.Duration `help:"How long a workflow whose calls fail is left alone before one call finds out whether it works again." default:"10s"`
	MaxOutstanding      int           `help:"Runs read and not decided yet; at this number reading pauses." default:"5000"`
	MaxOutstandingBytes int64         `help:"Bytes of runs read and not decided yet; at this number reading pauses." default:"134217728"`
	MaxGap              int           `help:"Runs of a partition that are read beyond one that is not decided; at half this number it is put into a retry topic, at this number reading the partition pauses." default:"100000"`
	CommitInterval      time.Duration `help:"How often finished runs are committed." default:"1s"`
	DrainTimeout        time.Duration `help:"How long calls in flight may take to finish at shutdown, or when a partition moves away." default:"3s"`
	SessionTime         time.Duration `help:"How long an instance that was killed keeps its partitions, unless it is started again before; until then their runs wait." default:"15s"`
	AllowNetworks       []string      `help:"Private, loopback or link-local networks that a workflow API (or a proxy to it) may be in, such as 10.1.0.0/16. Public addresses need no mention." placeholder:"CIDR"`
	DeliveredDir        string        `help:"Where it is kept which runs were delivered in the last 72 hours. Losing it costs the time to read their deliveries again. Each instance needs its own. Empty: .millrace/delivered." default:""`
	DeliveredMemory     int64         `help:"Memory of the index of delivered runs, in bytes." default:"67108864"`

	// RetryTiers are the retry topics and their waits; nil takes those of schemas.
	RetryTiers []schemas.RetryTier `kong:"-"`
	// Tracer makes spans; nil makes none.
	Tracer *telemetry.Tracer `kong:"-"`
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	_, networks := parseNetworks(c.AllowNetworks)
	return errors.Join(
		atLeastOne("concurrency", int64(c.Concurrency)),
		atLeastOne("workflow concurrency", int64(c.WorkflowConcurrency)),
		atLeastOne("replay concurrency", int64(c.ReplayConcurrency)),
		notNegative("replay rate", c.ReplayRate),
		atLeastOne("max outstanding", int64(c.MaxOutstanding)),
		atLeastOne("max outstanding bytes", c.MaxOutstandingBytes),
		atLeastOne("max gap", int64(c.MaxGap)),
		within("timeout", c.Timeout, time.Millisecond, 10*time.Minute),
		within("first retry", c.FirstRetry, time.Millisecond, c.MaxRetry),
		within("max retry", c.MaxRetry, time.Millisecond, time.Hour),
		within("retry in place", c.RetryInPlace, 0, time.Hour),
		within("max retry after", c.MaxRetryAfter, time.Second, keyMemory),
		// A retry is decided before MaxAge and may then wait for a slot and take Timeout: an hour is left for both.
		within("max age", c.MaxAge, time.Second, keyMemory-time.Hour),
		within("breaker delay", c.BreakerDelay, time.Millisecond, time.Hour),
		within("commit interval", c.CommitInterval, time.Millisecond, time.Minute),
		// A rebalance waits while a partition drains; brokers expel a member that takes 60 s.
		within("drain timeout", c.DrainTimeout, time.Millisecond, 30*time.Second),
		within("session time", c.SessionTime, time.Second, 10*time.Minute),
		networks,
		enoughMemory(c.DeliveredMemory),
	)
}

func atLeastOne(name string, value int64) error {
	if value < 1 {
		return fmt.Errorf("dispatcher %s %d: must be at least 1", name, value)
	}
	return nil
}

func notNegative(name string, value float64) error {
	if value < 0 {
		return fmt.Errorf("dispatcher %s %g: must be 0 or more", name, value)
	}
	return nil
}

func within(name string, value, least, most time.Duration) error {
	if value < least || value > most {
		return fmt.Errorf("dispatcher %s %s: must lie between %s and %s", name, value, least, most)
	}
	return nil
}

func enoughMemory(bytes int64) error {
	if bytes < dedup.MinMemory {
		return fmt.Errorf("dispatcher delivered memory %d: must be at least %d bytes", bytes, dedup.MinMemory)
	}
	return nil
}

func (c Config) tiers() []schemas.RetryTier {
	if c.RetryTiers != nil {
		return c.RetryTiers
	}
	return schemas.RetryTiers()
}

func (c Config) deliveredDir() string {
	if c.DeliveredDir != "" {
		return c.DeliveredDir
	}
	return ".millrace/delivered"
}
