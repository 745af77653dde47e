package rules

import (
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// document is an object or array of the event inside an expression. It is a struct around the pointer, because the
// VM takes pointers for something to follow.
type document struct{ *value }

// expressed returns what expressions see of the value: nil, a boolean, a string, an int, a float64, a time or a
// document.
func (v *value) expressed() any {
	if v == nil {
		return nil
	}
	if v.plain == nil {
		v.plain = v.express()
	}
	return v.plain
}

func (v *value) express() any {
	switch v.kind() {
	case '{', '[':
		return document{v}
	case '"':
		return v.text()
	case '0':
		return number(v.raw)
	case 't':
		return true
	case 'f':
		return false
	default: // null
		return nil
	}
}

// number returns an int where the text is an integer that fits, and else the nearest float64.
func number(raw jsontext.Value) any {
	if i, err := strconv.ParseInt(string(raw), 10, strconv.IntSize); err == nil {
		return int(i)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil
	}
	return f
}

// all returns the elements of an array as expressions see them. Nobody may change the list.
func (d document) all() []any {
	if d.open() != nil {
		return nil
	}
	if d.level.list == nil {
		list := make([]any, len(d.level.members))
		for i := range list {
			list[i] = d.level.members[i].expressed()
		}
		d.level.list = list
	}
	return d.level.list
}

// object returns an object's members as expressions see them.
func (d document) object() map[string]any {
	if d.open() != nil {
		return nil
	}
	object := make(map[string]any, len(d.level.members))
	for i := range d.level.members {
		object[string(d.level.members[i].name)] = d.level.members[i].expressed()
	}
	return object
}

// size estimates the steps it takes to walk through v, and stops counting above limit: an expression can make a small
// list of lists that unfolds to an endless one.
func size(v any, limit int) int {
	switch v := v.(type) {
	case string:
		return 1 + len(v)/64
	case document:
		return 1 + len(v.raw)/2 // the shortest element is a digit and a comma
	case []any:
		steps := 1
		for i := 0; i < len(v) && steps <= limit; i++ {
			steps += size(v[i], limit-steps)
		}
		return steps
	case map[string]any:
		steps := 1
		for name, member := range v {
			if steps > limit {
				break
			}
			steps += 1 + len(name)/64 + size(member, limit-steps)
		}
		return steps
	}
	return 1
}

// unfold turns documents, to any depth, into the lists and maps that the VM's own functions know. Ask for the size
// before.
func unfold(v any) any {
	switch v := v.(type) {
	case document:
		if v.kind() == '[' {
			return unfold(v.all())
		}
		return unfold(v.object())
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = unfold(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, member := range v {
			object[name] = unfold(member)
		}
		return object
	}
	return v
}

// describeAny names a value of an expression for reasons.
func describeAny(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "a boolean"
	case int, float64:
		return "a number"
	case string:
		return "a string"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	case []any:
		return "a list"
	case document:
		return v.describe()
	}
	return "an object"
}
