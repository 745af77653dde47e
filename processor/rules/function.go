package rules

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/builtin"
)

// function is what an expression can call by name. Of a missing argument the result is nil, if not said otherwise.
// There is nothing among them that depends on the clock, on chance or on the machine.
type function struct {
	name  string
	types []reflect.Type // the signatures that are accepted
	operation
}

func functions() []function {
	return []function{
		define[func(any) int]("len", length),
		define[func(any) string]("type", typeName),
		define[func(any) string]("string", asString),
		define[func(any) int]("int", ofKnown(asInt)),
		define[func(any) float64]("float", ofKnown(borrowed("float"))),
		define[func(any) any]("abs", ofKnown(borrowed("abs"))),
		define[func(any) float64]("ceil", ofKnown(borrowed("ceil"))),
		define[func(any) float64]("floor", ofKnown(borrowed("floor"))),
		define[func(any) float64]("round", ofKnown(borrowed("round"))),
		define[func(...any) any]("min", ofKnown(borrowed("min"))),
		define[func(...any) any]("max", ofKnown(borrowed("max"))),
		define[func(...any) float64]("mean", ofKnown(borrowed("mean"))),
		define[func(...any) float64]("median", ofKnown(borrowed("median"))),
		define[func(string) string]("upper", ofText(strings.ToUpper)),
		define[func(string) string]("lower", ofText(strings.ToLower)),
		define[func(string) string]("trim", ofText(strings.TrimSpace)),
		define[func(string, string) bool]("hasPrefix", textTest("hasPrefix", strings.HasPrefix)),
		define[func(string, string) bool]("hasSuffix", textTest("hasSuffix", strings.HasSuffix)),
		define[func(any) any]("first", elementAt(0)),
		define[func(any) any]("last", elementAt(-1)),
		define[func(...any) []any]("concat", concat),
		define[func(any) []any]("flatten", flatten),
		define[func(any) any]("date", ofKnown(date)),
		define[func(any) any]("duration", ofKnown(duration)),
	}
}

func define[Signature any](name string, do operation) function {
	return function{name, []reflect.Type{reflect.TypeFor[Signature]()}, do}
}

// ofKnown is nil where an argument is missing, and pays for the arguments.
func ofKnown(do operation) operation {
	return func(e *Event, args []any) (any, error) {
		known := make([]any, len(args))
		for i, arg := range args {
			if arg == nil {
				return nil, nil
			}
			unfolded, err := e.unfolded(arg)
			if err != nil {
				return nil, err
			}
			known[i] = unfolded
		}
		return do(e, known)
	}
}

// borrowed is one of expr's own functions.
func borrowed(name string) operation {
	own := builtin.Builtins[builtin.Index[name]]
	return func(_ *Event, args []any) (any, error) {
		if own.Fast != nil {
			return own.Fast(args[0]), nil
		}
		return own.Func(args...)
	}
}

func ofText(do func(string) string) operation {
	return ofKnown(func(_ *Event, args []any) (any, error) {
		text, isText := args[0].(string)
		if !isText {
			return nil, fmt.Errorf("a string is needed, got %s", describeAny(args[0]))
		}
		return do(text), nil
	})
}
