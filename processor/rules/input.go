package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// input is one entry of a mapping: exactly one of a path, an expression and a literal.
type input struct {
	name  string // what reasons call it: the path itself, or "the expression"
	path  path
	expr  *expression
	value jsontext.Value // compact
}

// isAbsent says that a mapping entry is left out.
func isAbsent(entry json.RawMessage) bool {
	return len(entry) == 0 || string(entry) == "null"
}

// written is a mapping entry as its author wrote it: one member is set.
type written struct {
	path  *string
	Expr  *string         `json:"expr"`
	Value json.RawMessage `json:"value"`
}

func readEntry(field string, entry json.RawMessage) (written, error) {
	var source string
	if err := json.Unmarshal(entry, &source); err == nil && !isAbsent(entry) {
		return written{path: &source}, nil
	}
	var computed written
	decoder := json.NewDecoder(bytes.NewReader(entry))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&computed)
	if _, end := decoder.Token(); err != nil || !errors.Is(end, io.EOF) || (computed.Expr == nil) == (computed.Value == nil) {
		return written{}, &CompileError{Field: field, Message: `give a path such as "data.total", {"expr": "..."} or {"value": ...}`}
	}
	return computed, nil
}

func compileInput(field string, entry json.RawMessage) (*input, error) {
	from, err := readEntry(field, entry)
	switch {
	case err != nil:
		return nil, err
	case from.path != nil:
		return compilePath(field, *from.path)
	case from.Expr != nil:
		expr, err := compileExpression(field, *from.Expr)
		return &input{name: "the expression", expr: expr}, err
	}
	literal, err := appendCompact(nil, jsontext.Value(from.Value))
	if err != nil {
		return nil, &CompileError{Field: field, Message: err.Error()}
	}
	return &input{name: "the value", value: literal}, nil
}

func compilePath(field, source string) (*input, error) {
	parsed, err := parsePath(source)
	if err != nil {
		return nil, compileErrorOf(field, source, err)
	}
	return &input{name: source, path: parsed}, nil
}

// read returns the input's value for an event, nil where the event has none or it is null.
func (in *input) read(event *Event) (*value, error) {
	v, err := in.find(event)
	if err != nil || v == nil {
		return nil, err
	}
	v.write()
	if v.kind() == 'n' {
		return nil, nil
	}
	return v, nil
}

func (in *input) find(event *Event) (*value, error) {
	switch {
	case in.expr != nil:
		return in.compute(event)
	case in.value != nil:
		return &value{arena: &event.arena, raw: in.value, isCompact: true}, nil
	}
	return in.path.follow(event)
}

func (in *input) compute(event *Event) (*value, error) {
	result, err := in.expr.run(event)
	if err != nil {
		return nil, err
	}
	encoded, err := encode(result)
	if err != nil {
		return nil, fmt.Errorf("writing the result: %w", err)
	}
	return &value{arena: &event.arena, raw: encoded, isCompact: true}, nil
}
