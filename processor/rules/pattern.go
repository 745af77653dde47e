package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// The bounds of a regular expression. Matching takes at most the length of the text times the instructions.
const (
	maxPattern             = 256 // bytes
	maxPatternInstructions = 1000
)

// pattern is a compiled regular expression with what it costs.
type pattern struct {
	*regexp.Regexp
	instructions int
}

// newPattern compiles a regular expression unless it is costly, which shows before it is compiled in full.
func newPattern(source string) (*pattern, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("the regular expression has %d bytes, at most %d are allowed", len(source), maxPattern)
	}
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxPatternInstructions {
		return nil, fmt.Errorf("the regular expression repeats too much; use smaller counts")
	}
	compiled, err := regexp.Compile(source)
	return &pattern{Regexp: compiled, instructions: len(program.Inst)}, err
}

// match matches text and pays for it. A missing text matches nothing.
func match(e *Event, args []any) (any, error) {
	if args[0] == nil {
		return false, nil
	}
	text, isText := args[0].(string)
	if !isText {
		return nil, fmt.Errorf("matches wants a string, got %s", describeAny(args[0]))
	}
	expression := args[1].(*pattern)
	if err := e.spend(len(text) * expression.instructions / 16); err != nil {
		return nil, err
	}
	return expression.MatchString(text), nil
}
