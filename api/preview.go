package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// The preview of triggers: what they would do, without doing it.

// previewTimeout bounds a preview. What one trigger does with one event is bounded by rules.
const previewTimeout = 10 * time.Second

// defaultLast is how many of the latest events are previewed where no event is given.
const defaultLast = 20

// previewInput asks about one trigger, saved or not, or about all that are bound to the event; and about one event,
// given or from the log, or about the latest ones.
type previewInput struct {
	Trigger     *schemas.Trigger `json:"trigger"` // what is left out of its bindings is taken from the event
	TriggerID   string           `json:"trigger_id"`
	Event       json.RawMessage  `json:"event"` // a track event
	EventID     string           `json:"event_id"`
	Environment string           `json:"environment"`
	Source      string           `json:"source"` // an ID, or a name
	Last        int              `json:"last"`
}

// Preview says what would happen. Repeats are not considered: whether an event is one depends on when it comes.
type Preview struct {
	Event    *PreviewedEvent  `json:"event"` // null where only the latest events were asked about
	Triggers []TriggerPreview `json:"triggers"`
}

// PreviewedEvent is the event that the preview is about.
type PreviewedEvent struct {
	ID          string    `json:"id,omitempty"` // absent for one that was given
	SourceID    string    `json:"source_id"`
	Environment string    `json:"environment"`
	Event       string    `json:"event"`
	MessageID   string    `json:"message_id"`
	ReceivedAt  time.Time `json:"received_at"`
}

func (a *API) previewTriggers(c *fiber.Ctx) error {
	var in previewInput
	if err := decode(c, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), previewTimeout)
	defer cancel()
	p := &preview{api: a, ctx: ctx, snapshot: a.reader.Snapshot(), in: in}
	answer, err := p.answer()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &problem{
			status: fiber.StatusUnprocessableEntity, Code: "too_slow", Field: "last",
			Message: fmt.Sprintf("the preview took more than %s; ask about fewer events, or simplify the trigger", previewTimeout),
		}
	}
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

// invalid is the answer to a request whose field cannot be as it is.
func invalid(field, format string, values ...any) error {
	return &problem{status: fiber.StatusUnprocessableEntity, Code: "invalid", Field: field, Message: field + ": " + fmt.Sprintf(format, values...)}
}

func (in *previewInput) check() error {
	if string(in.Event) == "null" {
		in.Event = nil
	}
	isGiven, isLogged := len(in.Event) > 0, in.EventID != ""
	switch {
	case in.Trigger != nil && in.TriggerID != "":
		return invalid("trigger_id", "give either a trigger or the ID of one")
	case isGiven && isLogged:
		return invalid("event_id", "give either an event or the ID of one")
	case in.Last < 0 || in.Last > query.MaxRecent:
		return invalid("last", "must be a number from 1 to %d", query.MaxRecent)
	case in.Trigger == nil && in.TriggerID == "" && !isGiven && !isLogged:
		return invalid("trigger", "give a trigger, or an event, or both")
	case in.Trigger == nil && in.TriggerID == "" && in.Last > 0:
		return invalid("last", "the latest events are previewed for one trigger; give it")
	}
	if !isGiven && !isLogged && in.Last == 0 {
		in.Last = defaultLast
	}
	return nil
}

// preview is one preview under way.
type preview struct {
	api      *API
	ctx      context.Context
	snapshot *catalog.Snapshot
	in       previewInput

	trigger *schemas.Trigger // the one that is asked about; nil for all that are bound to the event
	recent  map[eventName]recentEvents
	room    int // for requests in the answer, in bytes
}

func (p *preview) answer() (Preview, error) {
	p.recent, p.room = map[eventName]recentEvents{}, maxAnswerBytes
	if err := p.findTrigger(); err != nil {
		return Preview{}, err
	}
	event, err := p.findEvent()
	if err != nil {
		return Preview{}, err
	}
	triggers, err := p.asked(event)
	if err != nil {
		return Preview{}, err
	}
	answer := Preview{Triggers: []TriggerPreview{}}
	if event != nil {
		answer.Event = &PreviewedEvent{event.EventID, event.SourceID, event.Environment, event.Event, event.MessageID, event.ReceivedAt}
	}
	for _, trigger := range triggers {
		if err := p.ctx.Err(); err != nil {
			return Preview{}, err
		}
		made, err := p.preview(trigger, event)
		if err != nil {
			return Preview{}, err
		}
		answer.Triggers = append(answer.Triggers, made)
	}
	return answer, nil
}

// findTrigger finds the trigger that is asked about.
func (p *preview) findTrigger() error {
	if p.in.TriggerID != "" {
		found, exists := p.snapshot.Trigger(p.in.TriggerID)
		if !exists {
			return fmt.Errorf("trigger %q: %w", p.in.TriggerID, catalog.ErrNotFound)
		}
		p.trigger = &found
		return nil
	}
	if p.in.Trigger == nil {
		return nil
	}
	trigger := *p.in.Trigger
	trigger.Status = cmp.Or(trigger.Status, schemas.TriggerActive)
	if trigger.Status != schemas.TriggerActive && trigger.Status != schemas.TriggerInactive {
		return invalid("trigger.status", "must be %s or %s", schemas.TriggerActive, schemas.TriggerInactive)
	}
	if trigger.SourceID != "" {
		source, exists := p.snapshot.Source(trigger.SourceID)
		if !exists {
			return invalid("trigger.source_id", "there is no source %q", trigger.SourceID)
		}
		trigger.SourceID = source.ID
	}
	if err := p.checkEnvironment("trigger.environment", trigger.Environment); err != nil {
		return err
	}
	p.trigger = &trigger
	return nil
}

func (p *preview) checkEnvironment(field, name string) error {
	if _, exists := p.snapshot.Environment(name); !exists && name != "" {
		return invalid(field, "there is no environment %q", name)
	}
	return nil
}

// asked returns the triggers that are asked about, and completes one that is not saved.
func (p *preview) asked(event *query.RecentEvent) ([]*schemas.Trigger, error) {
	if p.trigger == nil {
		return p.snapshot.Bound(event.Environment, event.SourceID, event.Event), nil
	}
	var where eventName
	var err error
	if event != nil {
		where = eventName{event.Environment, event.SourceID, event.Event}
	} else if where, err = p.where(); err != nil {
		return nil, err
	}
	t := p.trigger
	t.Environment, t.SourceID, t.Event = cmp.Or(t.Environment, where.environment), cmp.Or(t.SourceID, where.sourceID), cmp.Or(t.Event, where.event)
	switch {
	case t.Event == "":
		return nil, invalid("trigger.event", "it is missing; give the name of an event, or * for all")
	case event == nil && where.environment != t.Environment:
		return nil, invalid("environment", "the trigger is bound to %s; leave it out", t.Environment)
	case event == nil && where.sourceID != t.SourceID:
		return nil, invalid("source", "the trigger is bound to %s; leave it out", sourceName(p.snapshot, t.SourceID))
	}
	return []*schemas.Trigger{t}, nil
}

// where returns the environment and the source of events that do not say it themselves: what is asked for, or else
// what the trigger is bound to.
func (p *preview) where() (eventName, error) {
	var at eventName
	if p.trigger != nil {
		at = eventName{environment: p.trigger.Environment, sourceID: p.trigger.SourceID}
	}
	if err := p.checkEnvironment("environment", p.in.Environment); err != nil {
		return at, err
	}
	at.environment = cmp.Or(p.in.Environment, at.environment)
	if p.in.Source != "" {
		source, exists := p.snapshot.Source(p.in.Source)
		if !exists {
			return at, invalid("source", "there is no source %q", p.in.Source)
		}
		at.sourceID = source.ID
	}
	switch {
	case at.environment == "":
		return at, invalid("environment", "it is missing; say where the event is received")
	case at.sourceID == "":
		return at, invalid("source", "it is missing; say which source sends the event")
	}
	return at, nil
}

// findEvent returns the event that is asked about, nil where only the latest are.
func (p *preview) findEvent() (*query.RecentEvent, error) {
	switch {
	case p.in.EventID != "":
		return p.loggedEvent()
	case len(p.in.Event) > 0:
		return p.givenEvent()
	}
	return nil, nil
}

func (p *preview) givenEvent() (*query.RecentEvent, error) {
	track, err := schemas.ParseTrack(p.in.Event)
	var refused *schemas.FieldError
	if errors.As(err, &refused) {
		field := "event"
		if refused.Field != "" {
			field += "." + refused.Field
		}
		return nil, &problem{status: fiber.StatusUnprocessableEntity, Code: string(refused.Code), Field: field, Message: refused.Message}
	}
	where, err := p.where()
	if err != nil {
		return nil, err
	}
	return &query.RecentEvent{Body: p.in.Event, EventMeta: schemas.EventMeta{
		SourceID: where.sourceID, Environment: where.environment, Event: track.Event, MessageID: track.MessageID,
		ReceivedAt: time.Now().UTC().Truncate(time.Millisecond),
	}}, nil
}

func (p *preview) loggedEvent() (*query.RecentEvent, error) {
	found, err := p.api.log.Event(p.ctx, p.in.EventID)
	var refused *query.FilterError
	if errors.As(err, &refused) {
		return nil, invalid("event_id", "%s", refused.Message)
	}
	if err != nil {
		return nil, err
	}
	if p.in.Environment != "" && p.in.Environment != found.Environment {
		return nil, invalid("environment", "the event was received in %s; leave it out", found.Environment)
	}
	if source, _ := p.snapshot.Source(p.in.Source); p.in.Source != "" && source.ID != found.SourceID {
		return nil, invalid("source", "the event was sent by %s; leave it out", sourceName(p.snapshot, found.SourceID))
	}
	return &query.RecentEvent{Body: []byte(found.Body), EventMeta: schemas.EventMeta{
		EventID: found.ID, SourceID: found.SourceID, Environment: found.Environment, Event: found.Event, MessageID: found.MessageID,
		ReceivedAt: found.ReceivedAt,
	}}, nil
}
