package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// maxComputed bounds what an expression computes for a mapping, in bytes of JSON.
const maxComputed = 256 << 10

// encode writes what an expression computed as compact JSON, with the members of its objects in order. Values that
// come from the event keep their text. A time is an RFC 3339 string, a duration a string such as 1h30m0s.
func encode(v any) ([]byte, error) {
	out, err := appendAny(nil, v)
	if err != nil {
		return nil, err
	}
	return out, checkComputed(out)
}

func appendAny(out []byte, v any) ([]byte, error) {
	if err := checkComputed(out); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case document:
		return appendValue(out, v.value), nil
	case string:
		return append(out, quote(v)...), nil
	case time.Time:
		return append(out, quote(formatTime(v))...), nil
	case time.Duration:
		return append(out, quote(v.String())...), nil
	case []any:
		return appendList(out, v)
	case map[string]any:
		return appendObject(out, v)
	case nil, bool, int, float64:
		encoded, err := json.Marshal(v)
		return append(out, encoded...), err
	}
	return nil, fmt.Errorf("%s has no form in JSON", describeAny(v))
}

func appendList(out []byte, list []any) ([]byte, error) {
	out = append(out, '[')
	for i, element := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendAny(out, element); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendObject(out []byte, object map[string]any) ([]byte, error) {
	out = append(out, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, quote(name)...), ':')
		var err error
		if out, err = appendAny(out, object[name]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func checkComputed(out []byte) error {
	if len(out) > maxComputed {
		return fmt.Errorf("it has more than %d bytes of JSON", maxComputed)
	}
	return nil
}
