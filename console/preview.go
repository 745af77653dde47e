package console

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// preview is what a trigger would do with recent events.
type preview struct {
	Missing string         // what is to be filled in before there is one; "" where there is one
	Counts  []outcomeCount // of the recent events
	Events  int            // recent ones
	Samples []previewSample

	answer api.TriggerPreview
}

type outcomeCount struct {
	Outcome schemas.Outcome
	Count   int
}

// previewSample is what the trigger would do with one event.
type previewSample struct {
	EventID    string
	Event      string
	ReceivedAt time.Time
	Outcome    schemas.Outcome
	Reason     string
	Request    string // as the workflow API would get it; "" where it would get none
	IsOmitted  bool   // it is too long to be shown
	IsChosen   bool   // it is the event that the trigger is edited for
}

// The bounds of a preview on a page; the API has all of it.
const (
	previewedEvents = 20
	shownRequest    = 2 << 10 // bytes of a request
	shownFault      = 400     // bytes of a reason
)

// previewOf asks what the trigger in the form would do.
func previewOf(ctx context.Context, client *api.Client, p *editorPage, trigger map[string]any) (preview, error) {
	if missing := p.Form.missing(); missing != "" {
		return preview{Missing: missing}, nil
	}
	request := map[string]any{"trigger": trigger, "last": previewedEvents}
	if p.EventID != "" {
		request["event_id"] = p.EventID
	}
	found, err := client.PreviewTrigger(ctx, request)
	if err != nil || len(found.Triggers) == 0 {
		return preview{}, err
	}
	shown := preview{answer: found.Triggers[0]}
	shown.fill(found)
	return shown, nil
}

// missing says what has to be filled in before recent events can be found.
func (f *triggerForm) missing() string {
	switch {
	case f.Value("source_id") == "":
		return "Choose the source of the events."
	case f.Value("environment") == "":
		return "Choose the environment of the events."
	case f.Value("event") == "":
		return "Name the event."
	}
	return ""
}

// fill takes what the page shows out of the answer.
func (p *preview) fill(found api.Preview) {
	if chosen := p.answer.Evaluation; chosen != nil && found.Event != nil {
		sample := sampleOf(api.PreviewSample{EventID: found.Event.ID, Event: found.Event.Event, ReceivedAt: found.Event.ReceivedAt, Evaluation: *chosen})
		sample.IsChosen = true
		p.Samples = append(p.Samples, sample)
	}
	if p.answer.Last == nil {
		return
	}
	p.Events = p.answer.Last.Events
	for _, outcome := range []schemas.Outcome{schemas.Matched, schemas.ConditionFalse, schemas.MappingError, schemas.ConditionError} {
		if count := p.answer.Last.Counts[outcome]; count > 0 {
			p.Counts = append(p.Counts, outcomeCount{outcome, count})
		}
	}
	for _, one := range p.answer.Last.Samples {
		if found.Event == nil || found.Event.ID != one.EventID {
			p.Samples = append(p.Samples, sampleOf(one))
		}
	}
	p.Samples = p.Samples[:min(len(p.Samples), previewedEvents+1)]
}

func sampleOf(one api.PreviewSample) previewSample {
	return previewSample{
		EventID: one.EventID, Event: one.Event, ReceivedAt: one.ReceivedAt, Outcome: one.Outcome, Reason: cut(one.Reason, shownFault),
		Request: cut(readable(one.Request), shownRequest), IsOmitted: one.IsOmitted,
	}
}

// notePreview puts what is wrong, and what may be, to the inputs.
func (f *triggerForm) notePreview(p preview) {
	for _, one := range p.answer.Errors {
		if !f.knows(one.Field, one.Line, one.Column) {
			f.note(one.Field, fault{Message: one.Message, Line: one.Line, Column: one.Column})
		}
	}
	for _, one := range p.answer.Warnings {
		f.note(one.Field, fault{Message: one.Message, Line: one.Line, Column: one.Column, IsHint: true})
	}
}

// knows tells whether the fault stands at its input already, because it could not be saved with it.
func (f *triggerForm) knows(field string, line, column int) bool {
	for _, known := range f.At(f.inputOf(field)) {
		if known.Line == line && known.Column == column && !known.IsHint {
			return true
		}
	}
	return false
}

// fields are what recent events have.
type fields struct {
	Event  string
	Events int // that were looked at
	Items  []field
	More   int // that are not shown
}

type field struct {
	Path, Types, Example string
	Events               int // that have it
}

// The bounds of the fields on a page.
const (
	shownFields  = 100
	shownPath    = 200 // bytes; one that is longer is not shown, because a part of it leads nowhere
	shownExample = 60  // bytes
)

func fieldsOf(ctx context.Context, client *api.Client, f *triggerForm) (fields, error) {
	if f.missing() != "" {
		return fields{}, nil
	}
	found, err := client.Properties(ctx, f.text("event"), url.Values{"source": {f.Value("source_id")}, "environment": {f.Value("environment")}})
	shown := fields{Event: f.Value("event"), Events: found.Events}
	for _, property := range found.Items {
		if len(shown.Items) == shownFields || len(property.Path) > shownPath {
			shown.More++
			continue
		}
		shown.Items = append(shown.Items, field{property.Path, typesText(property.Types), cut(readable(property.Example), shownExample), property.Events})
	}
	return shown, err
}

// noteRare tells of paths that only some of the events have. Those that none has are among the warnings of the API.
func (f *triggerForm) noteRare(of fields) {
	events := map[string]int{}
	for _, one := range of.Items {
		events[one.Path] = one.Events
	}
	rare := func(id string, row mappingRow) {
		if count := events[row.Value]; count > 0 && count < of.Events && (row.Kind == kindPath || row.Kind == "") {
			message := fmt.Sprintf("%s of the last %s events have it.", number(count), number(of.Events))
			f.Faults = append(f.Faults, fault{Input: id, Label: f.label(id), Message: message, IsHint: true})
		}
	}
	for _, input := range f.Inputs {
		rare(input.Name, input.mappingRow)
	}
	for i, row := range f.Data {
		rare(rowID(i), row)
	}
}

func typesText(types map[string]int) string {
	text := ""
	for i, name := range sortedKeys(types) {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// previewTrigger shows the form again as it stands, without saving anything. A script asks for what stands beside it.
func (w *Console) previewTrigger(c *fiber.Ctx) error {
	if c.Query("part") == "" {
		form := readTriggerForm(c)
		return w.showEditor(c, fiber.StatusOK, editorPage{Form: &form, EventID: form.Value("event_id")})
	}
	form := formFrom(readForm(c).Values) // with all its rows: the script numbers them as they stand
	p := editorPage{Form: &form, EventID: form.Value("event_id")}
	if err := p.readBeside(c); err != nil {
		return err
	}
	html, err := w.fragment("previewed", p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Type("html", "utf-8")
	return c.Send(html)
}
