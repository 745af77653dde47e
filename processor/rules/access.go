package rules

import "github.com/expr-lang/expr/vm/runtime"

// followPath returns what a path leads to, and pays for the text that is read on the way.
func followPath(e *Event, args []any) (any, error) { return args[0].(*path).express(e) }

func (p *path) express(e *Event) (any, error) {
	v, err := e.root(p.root)
	if err != nil {
		return nil, err
	}
	for _, step := range p.steps {
		if err := e.payToOpen(v); err != nil {
			return nil, err
		}
		v = v.step(step)
	}
	return v.expressed(), nil
}

// readMember returns a member of an object or an element of a list, nil for whatever is not there.
func readMember(e *Event, args []any) (any, error) {
	switch from := args[0].(type) {
	case document:
		if err := e.payToOpen(from.value); err != nil {
			return nil, err
		}
		switch key := args[1].(type) {
		case string:
			return from.member(key).expressed(), nil
		case int:
			return from.element(key).expressed(), nil
		}
	case map[string]any:
		if name, isName := args[1].(string); isName {
			return from[name], nil
		}
	case []any:
		if i, isIndex := args[1].(int); isIndex {
			return elementOf(from, i), nil
		}
	}
	return nil, nil
}

// payToOpen pays for the text that looking into a value reads.
func (e *Event) payToOpen(v *value) error {
	if v == nil || v.level != nil {
		return nil
	}
	return e.spend(len(v.raw) / 64)
}

// cut returns part of a list or of the characters of a string, as far as there is one.
func cut(e *Event, args []any) (any, error) {
	if text, isText := args[0].(string); isText {
		if err := e.spend(len(text) / 8); err != nil {
			return nil, err
		}
		characters := []rune(text)
		from, to := bounds(args, len(characters))
		return string(characters[from:to]), nil
	}
	list, err := elements(e, args[0])
	if err != nil || list == nil {
		return nil, err
	}
	from, to := bounds(args, len(list))
	return list[from:to:to], nil
}

// bounds returns the ends of a slice operation, negative ones counted from the end, within 0 and length.
func bounds(args []any, length int) (from, to int) {
	to = length
	if args[1] != nil {
		from = within(runtime.ToInt(args[1]), length)
	}
	if args[2] != nil {
		to = within(runtime.ToInt(args[2]), length)
	}
	return min(from, to), to
}

func within(i, length int) int {
	if i < 0 {
		i += length
	}
	return max(0, min(i, length))
}
