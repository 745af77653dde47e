package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/vm/runtime"
)

// areEqual compares by value, objects and lists to any depth. 1 and 1.0 are equal everywhere.
func areEqual(e *Event, args []any) (any, error) { return e.equal(args[0], args[1]) }

func areDifferent(e *Event, args []any) (any, error) {
	equal, err := e.equal(args[0], args[1])
	return !equal, err
}

func (e *Event) equal(a, b any) (bool, error) {
	if isSingle(a) && isSingle(b) {
		return runtime.Equal(a, b), e.spend(size(a, 0))
	}
	left, err := e.unfolded(a)
	if err != nil {
		return false, err
	}
	right, err := e.unfolded(b)
	if err != nil {
		return false, err
	}
	return same(left, right), nil
}

// same compares two unfolded values.
func same(a, b any) bool {
	switch a := a.(type) {
	case []any:
		list, isList := b.([]any)
		return isList && slices.EqualFunc(a, list, same)
	case map[string]any:
		object, isObject := b.(map[string]any)
		return isObject && maps.EqualFunc(a, object, same)
	}
	return runtime.Equal(a, b)
}

// unfolded pays for a value as a whole and returns it in the VM's own types.
func (e *Event) unfolded(v any) (any, error) {
	if err := e.spend(size(v, e.steps)); err != nil {
		return nil, err
	}
	return unfold(v), nil
}

// isIn tells whether a list has an element or an object a member of that name. A missing one has nothing.
func isIn(e *Event, args []any) (any, error) {
	needle, err := e.unfolded(args[0])
	if err != nil {
		return nil, err
	}
	all, err := e.unfolded(args[1])
	if err != nil {
		return nil, err
	}
	switch all := all.(type) {
	case nil:
		return false, nil
	case []any:
		return slices.ContainsFunc(all, func(element any) bool { return same(element, needle) }), nil
	case map[string]any:
		name, isName := needle.(string)
		_, found := all[name]
		return isName && found, nil
	}
	return nil, fmt.Errorf("in looks into a list or an object, got %s; use contains for text", describeAny(all))
}

// textTest is a test on two strings, false where one is missing.
func textTest(name string, test func(text, part string) bool) operation {
	return func(e *Event, args []any) (any, error) {
		if args[0] == nil || args[1] == nil {
			return false, nil
		}
		text, isText := args[0].(string)
		part, isTextToo := args[1].(string)
		if !isText || !isTextToo {
			return nil, fmt.Errorf("%s works on strings, got %s and %s; use in for lists", name, describeAny(args[0]), describeAny(args[1]))
		}
		return test(text, part), e.spend((len(text) + len(part)) / 64)
	}
}
