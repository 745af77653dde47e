package manifest

import (
	"fmt"
	"strings"
)

// Position is a place in a file, lines and columns from 1. Its zero value is nowhere.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Origin is where a resource came from.
type Origin struct {
	Index int // the document's number among all that were read, from 0

	document Position
	fields   map[string]Position
}

// At returns where a field's value is, or what is nearest around it. "" is the document.
func (o Origin) At(field string) Position {
	for field != "" {
		if at, known := o.fields[field]; known {
			return at
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return o.document
}

// Problem is one thing that is wrong with a resource.
type Problem struct {
	At          Position `json:"-"`
	Resource    int      `json:"resource"` // the document's number, from 0
	Kind        string   `json:"kind,omitempty"`
	Name        string   `json:"name,omitempty"`
	Environment string   `json:"environment,omitempty"` // of a trigger
	Field       string   `json:"field,omitempty"`
	Message     string   `json:"message"`
	Line        int      `json:"line,omitempty"`   // in the expression that the field holds, from 1
	Column      int      `json:"column,omitempty"` // in that expression, in characters, from 1
}

// Error writes the problem with its place first, as compilers do.
func (p Problem) Error() string {
	var b strings.Builder
	if at := p.At.String(); at != "" {
		b.WriteString(at + ": ")
	}
	if what := p.what(); what != "" {
		b.WriteString(what + ": ")
	}
	if p.Field != "" && !strings.HasPrefix(p.Message, p.Field) {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Line > 0 {
		fmt.Fprintf(&b, " (line %d, column %d of it)", p.Line, p.Column)
	}
	return b.String()
}

func (p Problem) what() string {
	switch {
	case p.Kind == "" || p.Name == "":
		return p.Kind
	case p.Environment != "":
		return p.Kind + " " + p.Environment + "/" + p.Name
	}
	return p.Kind + " " + p.Name
}

// Problems is everything that is wrong, as one error.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil is the problems as an error, or nil where there are none.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
