package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

type triggerPreview struct {
	Ref     triggerRef   `embed:""`
	Event   string       `help:"The event as JSON, or @FILE with it." env:"-" placeholder:"JSON" xor:"event"`
	EventID string       `help:"The event of the log." env:"-" placeholder:"ID" xor:"event"`
	Last    int          `help:"So many of the latest events. Default, where no event is given: 20." env:"-" placeholder:"N" xor:"event"`
	Client  clientConfig `embed:""`
	Output  outputConfig `embed:""`
}

// Help is shown by --help.
func (triggerPreview) Help() string {
	return "Nothing is started or logged.\n\nExamples:\n\n" +
		`  millrace trigger preview production/big-order --event='{"type":"track","event":"Order Completed","userId":"ada","properties":{"total":120}}'` +
		"\n\n  millrace trigger preview production/big-order --last=50"
}

// preview is what the API says about one trigger.
type preview struct {
	Name     string           `json:"name"`
	Workflow string           `json:"workflow"`
	Outcome  schemas.Outcome  `json:"outcome"` // of one event
	Reason   string           `json:"reason"`
	Request  rawText          `json:"request"`
	Errors   []previewFinding `json:"errors"`
	Warnings []previewFinding `json:"warnings"`
	Last     *struct {
		Events int                     `json:"events"`
		Counts map[schemas.Outcome]int `json:"counts"`
	} `json:"last"`
}

// rawText is JSON as it stands.
type rawText string

// UnmarshalJSON keeps the text.
func (r *rawText) UnmarshalJSON(text []byte) error {
	*r = rawText(text)
	return nil
}

type previewFinding struct {
	Field      string `json:"field"`
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"`
}

func (f previewFinding) String() string {
	text := f.Field + ": " + f.Message
	if f.Line > 0 {
		text += fmt.Sprintf(" (line %d, column %d)", f.Line, f.Column)
	}
	if f.Suggestion != "" && !strings.Contains(f.Message, f.Suggestion) {
		text += "; did you mean " + f.Suggestion + "?"
	}
	return text
}

// Run asks for the preview.
func (c *triggerPreview) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	id, err := c.Ref.id(ctx, r.client)
	if err != nil {
		return err
	}
	body := changes{"trigger_id": id}
	switch {
	case c.EventID != "":
		body["event_id"] = c.EventID
	case c.Event != "":
		if body["event"], err = jsonArgument("--event", c.Event); err != nil {
			return err
		}
	case c.Last > 0:
		body["last"] = c.Last
	}
	type answer struct {
		Triggers []preview `json:"triggers"`
	}
	return show(r, api.Call{Method: http.MethodPost, Path: "/triggers/preview", Body: body}, func(table *tabwriter.Writer, a answer) {
		for _, p := range a.Triggers {
			writePreview(table, p)
		}
	})
}

func writePreview(table *tabwriter.Writer, p preview) {
	row(table, "trigger", p.Name)
	row(table, "workflow", p.Workflow)
	if p.Outcome != "" {
		row(table, "outcome", strings.TrimSuffix(fmt.Sprintf("%s: %s", p.Outcome, p.Reason), ": "))
	}
	if p.Request != "" {
		row(table, "request", p.Request)
	}
	if p.Last != nil {
		row(table, "latest events", p.Last.Events)
		for _, outcome := range sortedOutcomes(p.Last.Counts) {
			row(table, "  "+string(outcome), p.Last.Counts[outcome])
		}
	}
	for _, finding := range p.Errors {
		row(table, "error", finding)
	}
	for _, finding := range p.Warnings {
		row(table, "warning", finding)
	}
}

func sortedOutcomes(counts map[schemas.Outcome]int) []schemas.Outcome {
	var all []schemas.Outcome
	for outcome := range counts {
		all = append(all, outcome)
	}
	slices.SortFunc(all, func(a, b schemas.Outcome) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return all
}
