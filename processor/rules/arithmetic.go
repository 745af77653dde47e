package rules

import (
	"fmt"
	"time"

	"github.com/expr-lang/expr/vm/runtime"
)

// maxText bounds the bytes of a string that an expression makes.
const maxText = 64 << 10

// calculation is an operator whose result is nil where an operand is missing.
func calculation(do func(e *Event, a, b any) (any, error)) operation {
	return func(e *Event, args []any) (any, error) {
		if args[0] == nil || args[1] == nil {
			return nil, nil
		}
		return do(e, args[0], args[1])
	}
}

// withoutCost makes an operator of one of the VM's, which all take a few nanoseconds.
func withoutCost[T any](name string, do func(a, b any) T) func(*Event, any, any) (any, error) {
	return func(_ *Event, a, b any) (any, error) {
		if !isSingle(a) || !isSingle(b) {
			return nil, mismatch(name, a, b)
		}
		return do(a, b), nil
	}
}

func mismatch(operator string, a, b any) error {
	return fmt.Errorf("%s does not work on %s and %s", operator, describeAny(a), describeAny(b))
}

// isSingle tells numbers, strings, times and durations, which have an order.
func isSingle(v any) bool {
	switch v.(type) {
	case int, float64, string, time.Time, time.Duration:
		return true
	}
	return false
}

// add joins strings, and adds whatever else the VM can add.
func add(e *Event, a, b any) (any, error) {
	left, isText := a.(string)
	right, isTextToo := b.(string)
	if !isText || !isTextToo {
		return withoutCost("+", runtime.Add)(e, a, b)
	}
	if len(left)+len(right) > maxText {
		return nil, fmt.Errorf("the text gets longer than %d bytes", maxText)
	}
	if err := e.spend((len(left) + len(right)) / 64); err != nil {
		return nil, err
	}
	return left + right, nil
}

// comparison is false where an operand is missing.
func comparison(name string, do func(a, b any) bool) operation {
	return func(e *Event, args []any) (any, error) {
		a, b := args[0], args[1]
		if a == nil || b == nil {
			return false, nil
		}
		if !isSingle(a) || !isSingle(b) {
			return nil, mismatch(name, a, b)
		}
		if err := e.spend(size(a, 0)); err != nil {
			return nil, err
		}
		return do(a, b), nil
	}
}

func negate(_ *Event, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	return runtime.Negate(args[0]), nil
}

func keep(_ *Event, args []any) (any, error) { return args[0], nil }

// truth reads a value as a condition: missing is false.
func truth(v any) (bool, error) {
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, fmt.Errorf("true or false is needed, got %s", describeAny(v))
}

func asBool(_ *Event, args []any) (any, error) { return truth(args[0]) }

// asSummand lets sum skip what is missing.
func asSummand(_ *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return 0, nil
	case int, float64:
		return v, nil
	}
	return nil, fmt.Errorf("sum wants numbers, got %s", describeAny(args[0]))
}
