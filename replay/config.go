package replay

import (
	"errors"
	"fmt"
	"time"
)

// Config holds the settings of the role.
type Config struct {
	Concurrent  int           `help:"Replays that a process works on at the same time; the others wait for their turn, the oldest first." default:"2"`
	Parallel    int           `help:"Partitions whose events are evaluated at the same time; 0 is one for each processor. Fewer leave more to what else runs in the process." default:"${replay_parallel}"`
	LogPatience time.Duration `help:"How long a replay waits for the event log to say what was decided on an event, before it pauses." default:"1m"`
	SessionTime time.Duration `help:"How long an instance that was killed keeps its partitions." default:"15s"`
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var problems []error
	if c.Concurrent < 1 {
		problems = append(problems, fmt.Errorf("replay concurrent %d: must be at least 1", c.Concurrent))
	}
	if c.Parallel < 0 {
		problems = append(problems, fmt.Errorf("replay parallel %d: must not be negative", c.Parallel))
	}
	if c.LogPatience <= 0 {
		problems = append(problems, fmt.Errorf("replay log patience %s: must be positive", c.LogPatience))
	}
	if c.SessionTime < time.Second || c.SessionTime > 10*time.Minute {
		problems = append(problems, fmt.Errorf("replay session time %s: must lie between 1s and 10m", c.SessionTime))
	}
	return errors.Join(problems...)
}
