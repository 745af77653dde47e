package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// notBound is the outcome of a preview in which the trigger would not be asked.
const notBound schemas.Outcome = "not_bound"

// maxAnswerBytes bounds the requests in an answer. A request may have 768 KiB.
const maxAnswerBytes = 8 << 20

// TriggerPreview says what one trigger would do. One that is inactive is asked as if it were active, and a warning
// says so: drafts are what people preview.
type TriggerPreview struct {
	TriggerID string                `json:"trigger_id"` // "" where it is not saved
	Name      string                `json:"name"`
	Workflow  string                `json:"workflow"`
	Status    schemas.TriggerStatus `json:"status"`
	*Evaluation
	Errors   []Fault         `json:"errors"`   // why it does not compile
	Warnings []rules.Warning `json:"warnings"` // of paths that the latest events do not have
	Last     *LastPreview    `json:"last,omitempty"`
}

// Evaluation is what a trigger would do with one event.
type Evaluation struct {
	Outcome    schemas.Outcome   `json:"outcome"`
	Reason     string            `json:"reason,omitempty"`
	Request    json.RawMessage   `json:"request,omitempty"` // of the run, as the workflow API would get it
	Recipients []json.RawMessage `json:"recipients,omitempty"`
	IsOmitted  bool              `json:"request_omitted,omitempty"` // the answer would be too large with it
}

// Fault is an error of one field of a trigger.
type Fault struct {
	Field      string `json:"field"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

// LastPreview is what a trigger would have done with the latest events that it is bound to.
type LastPreview struct {
	Events  int                     `json:"events"`
	Counts  map[schemas.Outcome]int `json:"counts"`
	Samples []PreviewSample         `json:"samples"` // one per event, the latest first
}

// PreviewSample is what it would have done with one of them.
type PreviewSample struct {
	EventID    string    `json:"event_id"`
	Event      string    `json:"event"`
	ReceivedAt time.Time `json:"received_at"`
	Evaluation
}

// preview asks one trigger about the event, if there is one, and about the latest events, if they are asked for.
func (p *preview) preview(trigger *schemas.Trigger, event *query.RecentEvent) (TriggerPreview, error) {
	made := TriggerPreview{
		TriggerID: trigger.ID, Name: trigger.Name, Workflow: trigger.Workflow, Status: trigger.Status,
		Errors: []Fault{}, Warnings: []rules.Warning{},
	}
	asked := *trigger
	asked.Status = schemas.TriggerActive
	rule, err := rules.Compile(asked)
	for _, refused := range rules.CompileErrors(err) {
		made.Errors = append(made.Errors, Fault{refused.Field, refused.Line, refused.Column, refused.Message, refused.Suggestion})
	}
	if trigger.Status == schemas.TriggerInactive {
		made.Warnings = append(made.Warnings, rules.Warning{
			Field: "status", Message: "the trigger is inactive: it does nothing of this before it is activated",
		})
	}
	recent, err := p.recentOf(trigger)
	if err != nil {
		return made, err
	}
	if len(recent.events) == 0 {
		warning, err := p.unseen(trigger)
		if err != nil {
			return made, err
		}
		made.Warnings = append(made.Warnings, warning)
	}
	made.Warnings = append(made.Warnings, recent.shape.Missing(rules.References(asked))...)
	evaluate := p.evaluator(trigger, rule, made.Errors)
	if event != nil {
		one := evaluate(event)
		made.Evaluation = &one
	}
	if p.in.Last > 0 {
		made.Last, err = p.last(recent.events[:min(p.in.Last, len(recent.events))], evaluate)
	}
	return made, err
}

// recentEvents are the latest events of a name, the latest first, and what they look like.
type recentEvents struct {
	events []query.RecentEvent
	shape  *rules.Shape
}

// recentOf reads the latest events that a trigger is bound to, once for all triggers that are bound alike.
func (p *preview) recentOf(trigger *schemas.Trigger) (recentEvents, error) {
	of := eventName{trigger.Environment, trigger.SourceID, trigger.Event}
	if known, isKnown := p.recent[of]; isKnown {
		return known, nil
	}
	events, err := p.api.recent(p.ctx, of, query.MaxRecent)
	if err != nil {
		return recentEvents{}, err
	}
	p.recent[of] = recentEvents{events, shapeOf(events, p.snapshot)}
	return p.recent[of], nil
}

// unseen warns that there is no event that the trigger is bound to, and looks for a name that may have been meant.
func (p *preview) unseen(trigger *schemas.Trigger) (rules.Warning, error) {
	warning := rules.Warning{Field: "event", Message: fmt.Sprintf("no event %q of this source is in the log of %s", trigger.Event, trigger.Environment)}
	if trigger.Event == schemas.AnyEvent {
		warning.Message = "no event of this source is in the log of " + trigger.Environment
		return warning, nil
	}
	page, err := p.api.log.Names(p.ctx, query.NameFilter{Source: trigger.SourceID, Environment: trigger.Environment, Limit: query.MaxLimit})
	if err != nil {
		return warning, err
	}
	names := make([]string, len(page.Items))
	for i, item := range page.Items {
		names[i] = item.Event
	}
	if warning.Suggestion = rules.Nearest(trigger.Event, names); warning.Suggestion != "" {
		warning.Message += fmt.Sprintf("; did you mean %q?", warning.Suggestion)
	}
	return warning, nil
}

func (p *preview) last(events []query.RecentEvent, evaluate func(*query.RecentEvent) Evaluation) (*LastPreview, error) {
	made := &LastPreview{Events: len(events), Counts: map[schemas.Outcome]int{}, Samples: []PreviewSample{}}
	for i := range events {
		if err := p.ctx.Err(); err != nil {
			return nil, err
		}
		one := evaluate(&events[i])
		made.Counts[one.Outcome]++
		made.Samples = append(made.Samples, PreviewSample{events[i].EventID, events[i].Event, events[i].ReceivedAt, one})
	}
	return made, nil
}

// evaluator returns what asks a trigger about one event, as the processor does.
func (p *preview) evaluator(trigger *schemas.Trigger, rule *rules.Trigger, faults []Fault) func(*query.RecentEvent) Evaluation {
	event := rules.NewEvent(schemas.EventMeta{}, nil, "")
	return func(of *query.RecentEvent) Evaluation {
		if reason := bindingFault(trigger, of); reason != "" {
			return Evaluation{Outcome: notBound, Reason: reason}
		}
		if rule == nil {
			return Evaluation{Outcome: schemas.ConditionError, Reason: faults[0].Field + ": " + faults[0].Message}
		}
		event.Reset(of.EventMeta, of.Body, sourceName(p.snapshot, of.SourceID))
		return p.describe(evaluateSafely(rule, event))
	}
}

// bindingFault says why the trigger is not asked about an event, "" where it is.
func bindingFault(trigger *schemas.Trigger, event *query.RecentEvent) string {
	switch {
	case trigger.Environment != event.Environment:
		return fmt.Sprintf("the trigger is bound to environment %q, the event is in %q", trigger.Environment, event.Environment)
	case trigger.SourceID != event.SourceID:
		return fmt.Sprintf("the trigger is bound to source %s, the event is from %s", trigger.SourceID, event.SourceID)
	case trigger.Event != event.Event && trigger.Event != schemas.AnyEvent:
		return fmt.Sprintf("the trigger is bound to event %q, this is %q", trigger.Event, event.Event)
	}
	return ""
}

// evaluateSafely turns a panic into an outcome: expressions come from outside.
func evaluateSafely(rule *rules.Trigger, event *rules.Event) (result rules.Result) {
	defer func() {
		if panicked := recover(); panicked != nil {
			result = rules.Result{
				Outcome: schemas.ConditionError,
				Reason:  fmt.Sprintf("the trigger cannot be evaluated, please report this: %v", panicked),
			}
		}
	}()
	return rule.Evaluate(event)
}

// describe copies a result, whose request is the event's own, while there is room.
func (p *preview) describe(result rules.Result) Evaluation {
	made := Evaluation{Outcome: result.Outcome, Reason: result.Reason}
	if result.Outcome != schemas.Matched {
		return made
	}
	if p.room -= len(result.Request); p.room < 0 {
		made.IsOmitted = true
		return made
	}
	made.Request = bytes.Clone(result.Request)
	var request schemas.RunRequest
	if err := json.Unmarshal(made.Request, &request); err == nil {
		made.Recipients = request.Recipients
	}
	return made
}
