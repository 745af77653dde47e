package processor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/millrace/millrace/dedup"

	"github.com/millrace/millrace/telemetry"
)

// Guarantee says what a crash can do to decisions and runs.
type Guarantee string

const (
	// ExactlyOnce writes decisions, runs and offsets in one Kafka transaction per batch. It needs a broker that keeps
	// transactions over a crash: a real one.
	ExactlyOnce Guarantee = "exactly_once"
	// AtLeastOnce writes decisions and runs first and offsets after. A crash in between writes the same decisions and
	// runs again, under the same IDs.
	AtLeastOnce Guarantee = "at_least_once"
)

// Config holds the processor's settings.
type Config struct {
	Guarantee     Guarantee     `help:"What a crash can do to decisions and runs: ${enum}." enum:"exactly_once,at_least_once" default:"${processor_guarantee}"`
	Instance      string        `help:"Name of this instance, the same at each start and unique among instances: it keeps its partitions over a restart and names its transactions. Empty: the host's name." default:""`
	BatchRecords  int           `help:"Events that are decided and committed together at most." default:"20000"`
	BatchTime     time.Duration `help:"How long a batch goes on taking what has arrived meanwhile, at most; 0 commits each read by itself." default:"100ms"`
	BatchInterval time.Duration `help:"The shortest time between two commits: what arrives meanwhile shares the next one. An event that comes alone does not wait; 0 commits as soon as nothing more has arrived." default:"20ms"`
	CommitTimeout time.Duration `help:"How long writing and committing a batch may take before it is given up and begun anew. Others wait as long for the partitions of an instance that was killed in the middle." default:"15s"`
	DedupDir      string        `help:"Where the dedup indexes are kept. Losing them costs the time to read the events of the longest dedup window again." default:"${processor_dedup_dir}" placeholder:"DIR"`
	DedupMemory   int64         `help:"Memory of the dedup indexes of all partitions together, in bytes; taken when they are opened. 512 MiB serve 100 million message IDs in the window." default:"${processor_dedup_memory}"`
	SessionTime   time.Duration `help:"How long a stopped instance keeps its partitions; 0 takes the client's default, 45s." default:"15s"`

	// Tracer makes spans; nil makes none.
	Tracer *telemetry.Tracer `kong:"-"`
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var problems []error
	if c.Guarantee != ExactlyOnce && c.Guarantee != AtLeastOnce {
		problems = append(problems, fmt.Errorf("processor guarantee %q: use %s or %s", c.Guarantee, ExactlyOnce, AtLeastOnce))
	}
	if c.BatchRecords < 1 {
		problems = append(problems, fmt.Errorf("processor batch records %d: must be at least 1", c.BatchRecords))
	}
	if c.BatchTime < 0 || c.BatchTime > time.Minute {
		problems = append(problems, fmt.Errorf("processor batch time %s: must lie between 0 and 1m; runs wait for it", c.BatchTime))
	}
	if c.BatchInterval < 0 || c.BatchInterval > time.Second {
		problems = append(problems, fmt.Errorf("processor batch interval %s: must lie between 0 and 1s; runs wait for it", c.BatchInterval))
	}
	if c.CommitTimeout <= 0 || c.CommitTimeout > maxCommitTimeout {
		problems = append(problems, fmt.Errorf("processor commit timeout %s: must be positive and at most %s, brokers refuse longer transactions", c.CommitTimeout, maxCommitTimeout))
	}
	if c.DedupDir == "" {
		problems = append(problems, errors.New("processor dedup dir: must not be empty"))
	}
	if c.DedupMemory < dedup.MinMemory {
		problems = append(problems, fmt.Errorf("processor dedup memory %d: must be at least %d bytes", c.DedupMemory, dedup.MinMemory))
	}
	if c.SessionTime < 0 {
		problems = append(problems, fmt.Errorf("processor session time %s: must not be negative", c.SessionTime))
	}
	return errors.Join(problems...)
}

// maxCommitTimeout leaves room below 15 minutes, the longest transaction that brokers allow by default.
const maxCommitTimeout = 10 * time.Minute

// transactionTimeout is when the broker gives up a transaction whose processor it does not hear of. It is longer than
// a living processor lets one take, and holds up the readers of what a dead one wrote no longer than that.
func (c Config) transactionTimeout() time.Duration {
	return max(c.BatchTime, c.BatchInterval) + c.CommitTimeout
}

// instance returns the name of this instance.
func (c Config) instance() string {
	if c.Instance != "" {
		return c.Instance
	}
	host, err := os.Hostname()
	if err != nil {
		return "processor"
	}
	return host
}
