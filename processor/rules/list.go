package rules

import (
	"fmt"
	"unicode/utf8"
)

// maxRange bounds the numbers of a range a..b.
const maxRange = 1000

// elementOf counts from the end where i is negative.
func elementOf(list []any, i int) any {
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil
	}
	return list[i]
}

// elements returns the elements of a list; a missing list has none.
func elements(e *Event, v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case document:
		if v.kind() != '[' {
			break
		}
		if err := e.payToOpen(v.value); err != nil {
			return nil, err
		}
		return v.all(), nil
	}
	return nil, fmt.Errorf("a list is needed here, got %s", describeAny(v))
}

// elementsOfLoop returns what a loop runs over, and pays for all its turns: the second argument is what one costs.
func elementsOfLoop(e *Event, args []any) (any, error) {
	list, err := elements(e, args[0])
	if err != nil {
		return nil, err
	}
	return list, e.spend(len(list) * args[1].(int))
}

// span returns the numbers from a to b.
func span(e *Event, a, b any) (any, error) {
	from, isInt := a.(int)
	to, isIntToo := b.(int)
	if !isInt || !isIntToo {
		return nil, fmt.Errorf("a range goes from one integer to another, got %s and %s", describeAny(a), describeAny(b))
	}
	if to < from {
		return []any{}, nil
	}
	if uint(to)-uint(from) >= maxRange {
		return nil, fmt.Errorf("the range has more than %d numbers", maxRange)
	}
	numbers := make([]any, 0, to-from+1)
	for n := range to - from + 1 {
		numbers = append(numbers, from+n)
	}
	return numbers, e.spend(len(numbers))
}

// length counts characters, elements or members; what is missing has none.
func length(e *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return utf8.RuneCountInString(v), e.spend(len(v) / 64)
	case map[string]any:
		return len(v), nil
	case document:
		if err := e.payToOpen(v.value); err != nil {
			return nil, err
		}
		if err := v.open(); err != nil {
			return nil, err
		}
		return len(v.level.members), nil
	}
	list, err := elements(e, args[0])
	return len(list), err
}

func elementAt(i int) operation {
	return func(e *Event, args []any) (any, error) {
		list, err := elements(e, args[0])
		return elementOf(list, i), err
	}
}

// concat joins lists; a missing one is empty.
func concat(e *Event, args []any) (any, error) {
	joined := []any{}
	for _, arg := range args {
		list, err := elements(e, arg)
		if err == nil {
			err = e.spend(len(list))
		}
		if err != nil {
			return nil, err
		}
		joined = append(joined, list...)
	}
	return joined, nil
}

// flatten replaces lists inside a list, to any depth, by their elements.
func flatten(e *Event, args []any) (any, error) {
	return appendFlat(e, []any{}, args[0])
}

func appendFlat(e *Event, flat []any, from any) ([]any, error) {
	list, err := elements(e, from)
	if err != nil {
		return nil, err
	}
	for _, element := range list {
		if err := e.spend(1); err != nil {
			return nil, err
		}
		if !isList(element) {
			flat = append(flat, element)
			continue
		}
		if flat, err = appendFlat(e, flat, element); err != nil {
			return nil, err
		}
	}
	return flat, nil
}

func isList(v any) bool {
	switch v := v.(type) {
	case []any:
		return true
	case document:
		return v.kind() == '['
	}
	return false
}
