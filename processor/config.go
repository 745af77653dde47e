package processor

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/schemas"
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
	CommitTimeout time.Duration `help:"How long writing and committing a batch may take before it is given up and begun anew." default:"60s"`
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
	if c.CommitTimeout <= 0 {
		problems = append(problems, fmt.Errorf("processor commit timeout %s: must be positive", c.CommitTimeout))
	}
	return errors.Join(problems...)
}

// clockSkew is how far the clocks of ingest processes may be apart.
const clockSkew = time.Hour

// retention is how long the dedup index remembers: the longest window anybody may set, and the skew.
const retention = time.Duration(schemas.MaxWindow) + clockSkew
