package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/millrace/millrace/schemas/typo"
)

// CompileError says what is wrong with one field of a trigger, and where in the field.
type CompileError struct {
	Field      string // "condition", "mapping.recipients", "mapping.data.total", ...
	Message    string
	Line       int    // from 1; 0 when the field as a whole is at fault
	Column     int    // in characters, from 1; 0 when the field as a whole is at fault
	Suggestion string // the name that may have been meant, "" where none is near
}

func (e *CompileError) Error() string {
	if e.Line == 0 {
		return e.Field + ": " + e.Message
	}
	return fmt.Sprintf("%s: %s (line %d, column %d)", e.Field, e.Message, e.Line, e.Column)
}

// faultAt is an error at a node of an expression.
func faultAt(node ast.Node, format string, args ...any) error {
	return &file.Error{Location: node.Location(), Message: fmt.Sprintf(format, args...)}
}

// compileErrorOf gives the fault of an expression its field and its position.
func compileErrorOf(field, source string, err error) *CompileError {
	var fault *file.Error
	if !errors.As(err, &fault) {
		return &CompileError{Field: field, Message: err.Error()}
	}
	line, column := position(source, fault.From)
	var near suggestion
	errors.As(fault.Prev, &near)
	return &CompileError{Field: field, Message: fault.Message, Line: line, Column: column, Suggestion: string(near)}
}

// position returns the line and column, both from 1, of a character of the source.
func position(source string, character int) (line, column int) {
	before := []rune(source)
	before = before[:min(character, len(before))]
	line, column = 1, 1
	for _, r := range before {
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// suggestion travels inside a fault to the CompileError.
type suggestion string

func (s suggestion) Error() string { return string(s) }

// unknownAt is the error for a name that nobody knows, with the nearest of those that are known.
func unknownAt(at file.Location, what, name string, known []string) error {
	hint, near := ".", typo.Nearest(name, known)
	if near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	message := fmt.Sprintf("unknown %s %q%s Known are %s", what, name, hint, strings.Join(known, ", "))
	return &file.Error{Location: at, Message: message, Prev: suggestion(near)}
}

// CompileErrors returns the faults of an error of Compile, one by one.
func CompileErrors(err error) []*CompileError {
	var fault *CompileError
	if joined, isJoined := err.(interface{ Unwrap() []error }); isJoined {
		var all []*CompileError
		for _, part := range joined.Unwrap() {
			all = append(all, CompileErrors(part)...)
		}
		return all
	}
	if errors.As(err, &fault) {
		return []*CompileError{fault}
	}
	return nil
}
