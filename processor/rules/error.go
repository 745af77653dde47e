package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// CompileError says what is wrong with one field of a trigger, and where in the field.
type CompileError struct {
	Field   string // "condition", "mapping.recipients", "mapping.data.total", ...
	Message string
	Line    int // from 1; 0 when the field as a whole is at fault
	Column  int // in characters, from 1; 0 when the field as a whole is at fault
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
	return &CompileError{Field: field, Message: fault.Message, Line: line, Column: column}
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

// unknown is the message for a name that nobody knows, with the nearest of those that are known.
func unknown(what, name string, known []string) string {
	hint := "."
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	return fmt.Sprintf("unknown %s %q%s Known are %s", what, name, hint, strings.Join(known, ", "))
}

// nearest returns the known name that is at most two edits from name, or "".
func nearest(name string, known []string) string {
	best, found := 3, ""
	for _, candidate := range known {
		if edits := distance(name, candidate); edits < best && edits < len(candidate) {
			best, found = edits, candidate
		}
	}
	return found
}

// distance counts the bytes to insert, remove or replace between a and b. Names of very different lengths are not
// compared: they are not near, and a name can be long.
func distance(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return len(a) + len(b)
	}
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			replace := previous[j]
			if a[i] != b[j] {
				replace++
			}
			current[j+1] = min(replace, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}
