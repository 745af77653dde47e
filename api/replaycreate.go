package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// defaultReplayRate is how many runs a second a replay makes at most where nothing else is asked for. Workflow APIs bear
// that much beside live traffic; who knows theirs asks for more, or for 0, which is no limit.
const defaultReplayRate = 500

// replayInput orders a replay, or a dry run of one.
type replayInput struct {
	Source      string           `json:"source"` // an ID, or a name
	Environment string           `json:"environment"`
	From        string           `json:"from"`
	To          string           `json:"to"` // "" and "now" are now
	Events      []string         `json:"events"`
	Where       string           `json:"where"`
	Statuses    []schemas.Status `json:"statuses"`
	Triggers    []replayTrigger  `json:"triggers"`
	Rate        *float64         `json:"rate"`
	Force       bool             `json:"force"`
}

// replayTrigger is the ID or the name of a trigger, or a trigger itself, saved or not.
type replayTrigger struct {
	ref   string
	given *schemas.Trigger
}

// UnmarshalJSON reads either.
func (t *replayTrigger) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, &t.ref)
	}
	return json.Unmarshal(text, &t.given)
}

// misfits says what keeps a value from being either.
func (*replayTrigger) misfits(field string, value any) []problem {
	switch value.(type) {
	case string:
		return nil
	case map[string]any:
		return fits(field, value, reflect.TypeFor[schemas.Trigger]())
	}
	return []problem{misfit(field, "give the ID or the name of a trigger, or a trigger, not %s", describeValue(value))}
}

func (a *API) createReplay(c *fiber.Ctx) error {
	var in replayInput
	if err := decode(c, &in); err != nil {
		return err
	}
	id, err := orderedID(c)
	if err != nil {
		return err
	}
	now := time.Now()
	var created schemas.Replay
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		if first, exists := tx.Snapshot().Replay(id); exists {
			created = first
			return nil
		}
		wanted, err := in.replay(tx.Snapshot(), now)
		wanted.ID = id
		var invalid error
		created, invalid = tx.CreateReplay(wanted)
		return errors.Join(err, invalid)
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusCreated, created.Revision, showReplay(created))
}

// headerIdempotencyKey names the header by which a client tells an order that it sends once more from another one.
const headerIdempotencyKey = "Idempotency-Key"

// maxIdempotencyKey is the longest such key, in bytes.
const maxIdempotencyKey = 255

// orderedID is the ID of the replay that the request orders, or "" where it has no key and makes a new one each time. Who
// asks and the whole body are in it: a key that was used before never answers with what somebody else, or some other
// body, has ordered.
func orderedID(c *fiber.Ctx) (string, error) {
	key := c.Get(headerIdempotencyKey)
	switch {
	case key == "":
		return "", nil
	case len(key) > maxIdempotencyKey:
		return "", &problem{
			status: fiber.StatusBadRequest, Code: "bad_request", Field: headerIdempotencyKey,
			Message: fmt.Sprintf("%s: at most %d bytes", headerIdempotencyKey, maxIdempotencyKey),
		}
	}
	return catalog.OrderedReplayID(catalog.Actor(c.UserContext()), key, string(c.Body())), nil
}

// replay is the replay that is asked for, with its triggers as they are now. What the catalog does not check is checked
// here.
func (in replayInput) replay(snapshot *catalog.Snapshot, now time.Time) (schemas.Replay, error) {
	made := schemas.Replay{
		Environment: in.Environment, SourceID: in.Source, Events: in.Events, Where: in.Where, Statuses: in.Statuses, Rate: defaultReplayRate,
	}
	set(&made.Rate, in.Rate)
	if in.Force {
		made.Generation = 1 // the catalog chooses one
	}
	if in.To == "now" {
		in.To = ""
	}
	var problems []error
	for _, bound := range []struct {
		field, text string
		into        *time.Time
	}{{"from", in.From, &made.From}, {"to", in.To, &made.To}} {
		at, err := parseTimeAt(bound.field, bound.text, now)
		if err != nil {
			problems = append(problems, &catalog.InvalidError{Field: bound.field, Message: err.Error()})
			at = time.UnixMilli(0) // it is not missing
		}
		*bound.into = at
	}
	if in.Where != "" {
		_, err := rules.CompileCondition(in.Where)
		problems = append(problems, within("where", "condition", err))
	}
	for i, wanted := range in.Triggers {
		trigger, err := wanted.find(snapshot, in.Environment, fmt.Sprintf("triggers.%d", i))
		problems = append(problems, err)
		made.Triggers = append(made.Triggers, trigger)
	}
	return made, errors.Join(problems...)
}

// draftID is what the ID of a trigger looks like that is not saved, or not any more.
func draftID() *regexp.Regexp { return regexp.MustCompile(`^trg_[0-9a-f]{32}$`) }

// find returns the trigger that is meant. Where there is none, one stands in for it that nothing is wrong with, so that
// the others are checked in their places.
func (t replayTrigger) find(snapshot *catalog.Snapshot, environment, field string) (schemas.Trigger, error) {
	if t.given == nil {
		if trigger, found := snapshot.Trigger(t.ref); found {
			return trigger, nil
		}
		if trigger, found := snapshot.TriggerNamed(environment, t.ref); found {
			return trigger, nil
		}
		standIn := schemas.Trigger{ID: t.ref, Event: schemas.AnyEvent, Workflow: "none"}
		return standIn, &catalog.InvalidError{Field: field, Message: fmt.Sprintf("there is no trigger %q in environment %q", t.ref, environment)}
	}
	trigger := *t.given
	trigger.Status = schemas.TriggerActive
	_, err := rules.Compile(trigger)
	problems := []error{within(field+".", "", err)}
	if _, exists := snapshot.Trigger(trigger.ID); !exists && trigger.ID != "" && !draftID().MatchString(trigger.ID) {
		problems = append(problems, &catalog.InvalidError{Field: field + ".id", Message: fmt.Sprintf(
			"there is no trigger %q; leave the ID out, or give that of the trigger which this is a draft of", trigger.ID)})
	}
	return trigger, errors.Join(problems...)
}

// within gives what does not compile another field: prefix stands in place of what the field begins with.
func within(prefix, begin string, err error) error {
	var moved []error
	for _, fault := range rules.CompileErrors(err) {
		at := *fault
		at.Field = prefix + fault.Field[len(begin):]
		moved = append(moved, &at)
	}
	return errors.Join(moved...)
}
