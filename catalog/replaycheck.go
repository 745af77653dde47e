package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/schemas"
)

// The most that a replay can be made of, and that the catalog keeps of them.
const (
	maxReplays        = 1_000
	maxOpenReplays    = 20
	maxReplayTriggers = 100
	maxReplayEvents   = 100
	maxWhereBytes     = 16 << 10
)

// CheckReplay returns a replay as it would be made at a moment, or everything that is wrong with it, conditions and
// mappings aside. The source may be given by name. A trigger without an ID gets one that depends on what it does, so that
// the same trigger makes the same runs each time; every trigger counts as active. To does not lie in the future.
func (s *Snapshot) CheckReplay(replay schemas.Replay, at time.Time) (schemas.Replay, error) {
	if source, found := s.Source(replay.SourceID); found {
		replay.SourceID, replay.Source = source.ID, source.Name
	}
	replay.From, replay.To = replay.From.UTC().Truncate(time.Millisecond), replay.To.UTC().Truncate(time.Millisecond)
	if replay.To.IsZero() || replay.To.After(at) {
		replay.To = at
	}
	replay.Triggers = slices.Clone(replay.Triggers)
	problems := []error{s.checkReplayPlace(replay), checkReplayFilters(replay)}
	if n := len(replay.Triggers); n < 1 || n > maxReplayTriggers {
		problems = append(problems, invalid("triggers", "triggers: give 1 to %d of them, not %d", maxReplayTriggers, n))
	}
	known := map[string]bool{}
	for i := range replay.Triggers {
		trigger := &replay.Triggers[i]
		problems = append(problems, completeReplayTrigger(trigger, replay, fmt.Sprintf("triggers.%d", i)))
		if known[trigger.ID] {
			problems = append(problems, invalid(fmt.Sprintf("triggers.%d", i), "trigger %s is given twice", trigger.ID))
		}
		known[trigger.ID] = true
	}
	return replay, errors.Join(append(problems, checkBindings(replay))...)
}

// checkBindings refuses what no trigger would be asked about.
func checkBindings(replay schemas.Replay) error {
	for _, trigger := range replay.Triggers {
		if trigger.Event == schemas.AnyEvent || len(replay.Events) == 0 || slices.Contains(replay.Events, trigger.Event) {
			return nil
		}
	}
	if len(replay.Triggers) == 0 {
		return nil // which is told already
	}
	return invalid("events", "events: no trigger is bound to any of these names, so nothing would happen")
}

func (s *Snapshot) checkReplayPlace(replay schemas.Replay) error {
	var problems []error
	if !s.environments.has(replay.Environment) {
		problems = append(problems, invalid("environment", "environment %q does not exist", replay.Environment))
	}
	if !s.sources.has(replay.SourceID) {
		problems = append(problems, invalid("source", "source %q does not exist", replay.SourceID))
	}
	if replay.From.IsZero() {
		problems = append(problems, invalid("from", "from: say from when on events are to be replayed"))
	} else if !replay.From.Before(replay.To) {
		problems = append(problems, invalid("from", "from %s: must lie before to, %s", replay.From.Format(time.RFC3339), replay.To.Format(time.RFC3339)))
	}
	if !(replay.Rate >= 0 && replay.Rate <= maxRateLimit) {
		problems = append(problems, invalid("rate", "rate %v: give 0, which is unlimited, to %v runs a second", replay.Rate, maxRateLimit))
	}
	return errors.Join(problems...)
}

func checkReplayFilters(replay schemas.Replay) error {
	var problems []error
	if len(replay.Events) > maxReplayEvents {
		problems = append(problems, invalid("events", "events: at most %d names; none stands for all", maxReplayEvents))
	}
	for i, name := range replay.Events {
		if name == "" || len(name) > schemas.MaxNameBytes {
			problems = append(problems, invalid(fmt.Sprintf("events.%d", i), "events: a name has 1 to %d bytes", schemas.MaxNameBytes))
		}
	}
	if len(replay.Where) > maxWhereBytes {
		problems = append(problems, invalid("where", "where: at most %d bytes", maxWhereBytes))
	}
	statuses := []schemas.Status{schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed}
	for i, status := range replay.Statuses {
		isAny := status == schemas.AnyStatus && len(replay.Statuses) == 1
		if !isAny && !slices.Contains(statuses, status) {
			problems = append(problems, invalid(fmt.Sprintf("statuses.%d", i), "status %.40q: use some of %s, %s, %s and %s, or %s alone",
				status, schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed, schemas.AnyStatus))
		}
	}
	return errors.Join(problems...)
}

// completeReplayTrigger binds a trigger to the place of the replay, gives it an ID if it has none, and checks it.
func completeReplayTrigger(trigger *schemas.Trigger, replay schemas.Replay, field string) error {
	if trigger.Environment == "" {
		trigger.Environment = replay.Environment
	}
	if trigger.SourceID == "" || trigger.SourceID == replay.Source {
		trigger.SourceID = replay.SourceID
	}
	var problems []error
	if trigger.Environment != replay.Environment || trigger.SourceID != replay.SourceID {
		problems = append(problems, invalid(field, "%s: the trigger is bound to source %s in %s; a replay takes triggers of its own source and environment",
			field, trigger.SourceID, trigger.Environment))
	}
	if len(trigger.Event) == 0 || len(trigger.Event) > schemas.MaxNameBytes {
		problems = append(problems, invalid(field+".event", "event: give the event's name, 1 to %d bytes, or %s for every event", schemas.MaxNameBytes, schemas.AnyEvent))
	}
	if err := checkName("workflow", trigger.Workflow); err != nil {
		problems = append(problems, invalid(field+".workflow", "%v", err))
	}
	trigger.Status = schemas.TriggerActive
	if trigger.ID == "" {
		id, err := hashedTriggerID(*trigger)
		if err != nil {
			problems = append(problems, invalid(field+".mapping", "mapping: %v", err))
		}
		trigger.ID = id
	}
	return errors.Join(problems...)
}

// hashedTriggerID derives an ID from all that decides what a trigger does.
func hashedTriggerID(trigger schemas.Trigger) (string, error) {
	does := schemas.Trigger{
		Environment: trigger.Environment, SourceID: trigger.SourceID, Event: trigger.Event,
		Workflow: trigger.Workflow, Condition: trigger.Condition, Mapping: trigger.Mapping,
	}
	text, err := json.Marshal(does) // compact, with the mapping's members in order
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(text)
	return triggerIDPrefix + hex.EncodeToString(hash[:16]), nil
}
