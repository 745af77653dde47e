package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/millrace/millrace/api"
)

// fault is something that is wrong with an input of the editor, or that may be.
type fault struct {
	Input   string // its ID
	Label   string // what it is called
	Message string
	IsHint  bool // it can be saved like this
	Line    int  // from 1, 0 where it is no matter of a place
	Column  int  // in characters, from 1
	Before  string
	Marked  string // what stands at the place; "" where nothing is quoted
	After   string
}

// blameInput notes a fault that the form itself has found, once.
func (f *triggerForm) blameInput(id, message string) {
	found := fault{Input: id, Label: f.label(id), Message: sentence(message)}
	if !slices.Contains(f.Faults, found) {
		f.Faults = append(f.Faults, found)
	}
}

// note puts what the API says of a field to the input that it belongs to, and reports whether there is one.
func (f *triggerForm) note(field string, found fault) bool {
	found.Input = f.inputOf(field)
	if found.Input == "" {
		return false
	}
	found.Label = f.label(found.Input)
	found.Message = said(strings.TrimPrefix(found.Message, field+": "))
	found.quote(f.typedInto(found.Input))
	f.Faults = append(f.Faults, found)
	return true
}

// At are the faults of an input.
func (f *triggerForm) At(id string) []fault {
	var found []fault
	for _, one := range f.Faults {
		if one.Input == id {
			found = append(found, one)
		}
	}
	return found
}

// IsWrong tells whether an input has a fault that is more than a hint.
func (f *triggerForm) IsWrong(id string) bool {
	for _, one := range f.At(id) {
		if !one.IsHint {
			return true
		}
	}
	return false
}

// Wrong are the faults with which it cannot be saved.
func (f *triggerForm) Wrong() []fault {
	var found []fault
	for _, one := range f.Faults {
		if !one.IsHint {
			found = append(found, one)
		}
	}
	return found
}

// inputOf is the ID of the input that holds a field of a trigger, "" where none does.
func (f *triggerForm) inputOf(field string) string {
	for i, row := range f.Data {
		if key, _, _ := row.entry(); !row.isEmpty() && field == "mapping.data."+key {
			return rowID(i)
		}
	}
	inputs := textInputs()
	for _, input := range f.Inputs {
		inputs = append(inputs, input.Name)
	}
	switch name := inputFor(field, append(inputs, "mapping.data", "mapping")); name {
	case "mapping", "mapping.data":
		return "data"
	default:
		return name
	}
}

func (f *triggerForm) label(id string) string {
	for _, input := range f.Inputs {
		if input.Name == id {
			return input.Label
		}
	}
	for i, row := range f.Data {
		if rowID(i) == id {
			return strings.TrimSpace("Data " + row.Key)
		}
	}
	return sentenceCase(strings.TrimSuffix(id, "_id"))
}

func sentenceCase(word string) string { return strings.TrimSuffix(sentence(word), ".") }

// typedInto is what the input holds.
func (f *triggerForm) typedInto(id string) string {
	for _, input := range f.Inputs {
		if input.Name == id {
			return input.Value
		}
	}
	for i, row := range f.Data {
		if rowID(i) == id {
			return row.Value
		}
	}
	return f.Value(id)
}

// shownAround is how many characters of a line are quoted on either side of a fault.
const shownAround = 40

// quote takes what stands at the place out of the text.
func (f *fault) quote(text string) {
	lines := strings.Split(text, "\n")
	if f.Line < 1 || f.Column < 1 || f.Line > len(lines) {
		return
	}
	line := []rune(lines[f.Line-1])
	from := min(f.Column-1, len(line))
	to := from
	for to < len(line) && to-from < shownAround && (isWord(line[to]) || f.IsHint && line[to] == '.') { // hints are about paths
		to++
	}
	to = min(max(to, from+1), len(line))
	if from == 0 && to == len(line) && len(lines) == 1 {
		return // it is all that the input has
	}
	first, last := max(0, from-shownAround), min(len(line), to+shownAround)
	f.Before, f.Marked, f.After = string(line[first:from]), string(line[from:to]), string(line[to:last])
	if first > 0 {
		f.Before = ellipsis + f.Before
	}
	if last < len(line) {
		f.After += ellipsis
	}
	if f.Marked == "" {
		f.Marked = "\u00a0" // it ends where something should follow
	}
}

// said is the message as a sentence, unless it begins with a path: that is as it is.
func said(message string) string {
	if first, _, _ := strings.Cut(message, " "); !strings.ContainsAny(first, "._") {
		message = sentenceCase(message)
	}
	if strings.HasSuffix(message, "?") {
		return message
	}
	return strings.TrimRight(message, ".") + "."
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// refuseTrigger puts what the API has refused to the inputs, and reports whether it was a refusal that the form can show.
func (f *triggerForm) refuseTrigger(err error) (status int, shown bool) {
	var refused *api.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
		return f.refuse(err)
	}
	for _, problem := range refused.Problems {
		message := strings.TrimSuffix(problem.Message, fmt.Sprintf(" (line %d, column %d)", problem.Line, problem.Column))
		if !f.note(problem.Field, fault{Message: message, Line: problem.Line, Column: problem.Column}) {
			f.Problem = strings.TrimSpace(f.Problem + " " + sentence(message))
		}
	}
	if len(refused.Problems) == 0 && !f.note(refused.Field, fault{Message: refused.Message}) {
		f.Problem = sentence(refused.Message)
	}
	return refused.Status, true
}
