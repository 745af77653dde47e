package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/millrace/millrace/schemas"
)

func typeName(_ *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return "nil", nil
	case bool:
		return "bool", nil
	case int:
		return "int", nil
	case float64:
		return "float", nil
	case string:
		return "string", nil
	case time.Time:
		return "time", nil
	case time.Duration:
		return "duration", nil
	case []any:
		return "array", nil
	case document:
		if v.kind() == '[' {
			return "array", nil
		}
	}
	return "map", nil
}

// asString writes a single value; "" for a missing one would hide the fault, so it stays missing.
func asString(_ *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil, string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		return formatTime(v), nil
	case time.Duration:
		return v.String(), nil
	}
	return nil, fmt.Errorf("string does not work on %s", describeAny(args[0]))
}

// asInt drops a fraction and reads text.
func asInt(_ *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return v, nil
	case float64:
		if math.Abs(v) < 1<<53 { // beyond, machines differ
			return int(v), nil
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return n, nil
		}
	}
	return nil, errors.New("int: this cannot be read as an integer")
}

// date reads an ISO-8601 text; without a zone it is UTC.
func date(_ *Event, args []any) (any, error) {
	switch v := args[0].(type) {
	case time.Time:
		return v, nil
	case string:
		if at, err := schemas.ParseTimestamp(v); err == nil {
			return at, nil
		}
	}
	return nil, errors.New(`date wants ISO-8601 text such as "2026-01-31" or "2026-01-31T12:00:00Z"`)
}

func duration(_ *Event, args []any) (any, error) {
	if text, isText := args[0].(string); isText {
		if length, err := time.ParseDuration(text); err == nil {
			return length, nil
		}
	}
	return nil, errors.New(`duration wants text such as "36h" or "1h30m"`)
}
