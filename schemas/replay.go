package schemas

import "time"

// Replay is the order to let events of the past go through triggers once more, and how far that has come. Everything
// that decides its outcome is fixed when it is made, so that it goes on after a crash as it began.
type Replay struct {
	ID          string    `json:"id"` // "rpl_..."
	Environment string    `json:"environment"`
	SourceID    string    `json:"source_id"`
	From        time.Time `json:"from"`               // events received from then on
	To          time.Time `json:"to"`                 // and before then
	Events      []string  `json:"events,omitempty"`   // names; none stands for all
	Where       string    `json:"where,omitempty"`    // an expr-lang boolean over the event; "" is always true
	Statuses    []Status  `json:"statuses,omitempty"` // what the processor decided; none stands for all but Duplicate
	Triggers    []Trigger `json:"triggers"`           // as they were when the replay was made; all count as active
	Rate        float64   `json:"rate"`               // runs a second at most; 0 is unlimited
	Generation  int64     `json:"generation"`         // 0 makes the runs that live traffic makes, any other makes them anew

	State      ReplayState     `json:"state"`
	Reason     string          `json:"reason,omitempty"` // why it failed
	Partitions []ReplayRange   `json:"partitions"`       // of the events topic; none before the replay has begun
	Result     *ReplayProgress `json:"result,omitempty"` // once it has ended; until then the offsets of its group tell
	Actor      string          `json:"actor"`            // who made it
	Revision   int64           `json:"revision"`         // 1 at creation, one more with each change
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	StartedAt  time.Time       `json:"started_at,omitzero"`
	EndedAt    time.Time       `json:"ended_at,omitzero"`
}

// ReplayState says what is going on with a replay.
type ReplayState string

// The states of a replay. The last three are final.
const (
	ReplayRunning   ReplayState = "running" // or waiting for its turn
	ReplayPaused    ReplayState = "paused"
	ReplayCompleted ReplayState = "completed"
	ReplayCancelled ReplayState = "cancelled"
	ReplayFailed    ReplayState = "failed"
)

// IsFinal reports whether a replay in this state stays in it.
func (s ReplayState) IsFinal() bool {
	return s == ReplayCompleted || s == ReplayCancelled || s == ReplayFailed
}

// ReplayRange is the part of a partition that a replay reads: from Start to before End.
type ReplayRange struct {
	Partition int32 `json:"partition"`
	Start     int64 `json:"start"`
	End       int64 `json:"end"`
}

// ReplayProgress counts what a replay has done, in events and runs.
type ReplayProgress struct {
	Read    int64            `json:"read"`    // events in the range, of any source
	Matched int64            `json:"matched"` // events that the filters let through
	Created int64            `json:"created"` // runs
	Existed int64            `json:"existed"` // runs that had been created before, and were not again
	Errors  map[string]int64 `json:"errors"`  // events by the reason a trigger failed on them; the rarest are summed up as "other"
}
