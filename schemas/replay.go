package schemas

import "time"

// Replay is the order to let events of the past go through triggers once more, and how far that has come. Everything
// that decides its outcome is fixed when it is made, so that it goes on after a crash as it began.
type Replay struct {
	ID          string    `json:"id"` // "rpl_..."
	Environment string    `json:"environment"`
	SourceID    string    `json:"source_id"`
	Source      string    `json:"source"`             // its name, as conditions and mappings see it
	From        time.Time `json:"from"`               // events received from then on
	To          time.Time `json:"to"`                 // and before then
	Events      []string  `json:"events,omitempty"`   // names; none stands for all that a trigger is bound to
	Where       string    `json:"where,omitempty"`    // an expr-lang boolean over the event; "" is always true
	Statuses    []Status  `json:"statuses,omitempty"` // what the processor decided; none stands for all but Duplicate
	Triggers    []Trigger `json:"triggers"`           // as they were when the replay was made; all count as active
	Rate        float64   `json:"rate"`               // runs a second at most; 0 is unlimited
	Generation  int64     `json:"generation"`         // 0 makes the runs that live traffic makes, any other makes them anew

	State      ReplayState     `json:"state"`
	Reason     string          `json:"reason,omitempty"`     // why it failed, or was paused without anybody asking for it
	Partitions []ReplayRange   `json:"partitions,omitempty"` // of the events topic; none before the replay has begun
	Result     *ReplayProgress `json:"result,omitempty"`     // once it has ended; until then the offsets of its group tell
	Actor      string          `json:"actor"`                // who made it
	Revision   int64           `json:"revision"`             // 1 at creation, one more with each change
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	StartedAt  time.Time       `json:"started_at,omitzero"`
	EndedAt    time.Time       `json:"ended_at,omitzero"`
}

// AnyStatus stands, alone among a replay's statuses, for all events, repeats and undecided ones too. Such a replay does
// not ask the event log what was decided.
const AnyStatus Status = "any"

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

// ReplayProgress tells how far a replay is and what came of it. Done and Total are offsets of all partitions together,
// so that their ratio is known from the beginning; the rest counts events and runs.
type ReplayProgress struct {
	Done    int64            `json:"done"`
	Total   int64            `json:"total"`
	Read    int64            `json:"read"`    // events of the source and the time, with a name that is asked for
	Skipped int64            `json:"skipped"` // of those, the ones whose status is not asked for
	Matched int64            `json:"matched"` // of those, the ones that passed every filter and went through the triggers
	Created int64            `json:"created"` // runs
	Existed int64            `json:"existed"` // runs that had been created before, and were not again
	Errors  map[string]int64 `json:"errors"`  // how often a trigger, or the filter, failed on an event, by reason; the rarest are summed up as OtherErrors
}

// OtherErrors is what stands for the reasons that a ReplayProgress has no room for.
const OtherErrors = "other"

// Percent returns how much of the range is done, from 0 to 100.
func (p ReplayProgress) Percent() float64 {
	if p.Total == 0 {
		return 0
	}
	return 100 * float64(p.Done) / float64(p.Total)
}

// ReplayPreview is what a dry run of a replay found.
type ReplayPreview struct {
	ReplayProgress                // Created are the runs that would be
	Samples        []ReplaySample `json:"samples"` // the first runs that would be created
	Diff           []ReplayDiff   `json:"diff"`    // one for each trigger, in the replay's order
}

// MaxReplaySamples is how many samples a dry run shows.
const MaxReplaySamples = 20

// ReplaySample is a run as a replay would create it.
type ReplaySample struct {
	EventID         string `json:"event_id"`
	Event           string `json:"event"`
	TriggerID       string `json:"trigger_id"`
	Workflow        string `json:"workflow"`
	RunID           string `json:"run_id"`
	Request         string `json:"request"`           // JSON, a RunRequest
	RequestIsCut    bool   `json:"request_is_cut"`    // Request is only the beginning
	ExistsAlready   bool   `json:"exists_already"`    // the run is not created again
	DiffersFromThen bool   `json:"differs_from_then"` // live traffic created the run with another request
}

// ReplayDiff compares what a trigger does in a replay with what the trigger of the same ID did when the events came, in
// events. What it did then is known as long as the event log keeps it.
type ReplayDiff struct {
	TriggerID    string `json:"trigger_id"`
	NewlyMatched int64  `json:"newly_matched"` // matches now and did not, or was not asked
	Same         int64  `json:"same"`          // matched then, too, with the same request
	Changed      int64  `json:"changed"`       // matched then, too, with another request
	Uncompared   int64  `json:"uncompared"`    // matched then, too, and the log does not have that run any more
	NoLonger     int64  `json:"no_longer"`     // matched then, and the condition does not hold now
	FailedThen   int64  `json:"failed_then"`   // failed when the event came
	FailsNow     int64  `json:"fails_now"`     // fails in the replay
}
