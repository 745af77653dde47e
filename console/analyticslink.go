package console

import (
	"encoding/json"
	"slices"
	"strings"
)

// noValue is how pages call what events have none of, and otherValues all that have no line of their own.
const (
	noValue     = "none"
	otherValues = "all others"
)

// valueName is how a value that events were counted by is called.
func (q inquiry) valueName(by string, value *string) string {
	switch {
	case by == allOfThem:
		return "events"
	case value == nil:
		return noValue
	case by == "source":
		return q.Choices.SourceName(*value)
	case by == "status":
		return words(*value)
	case *value == "":
		return `""`
	}
	return *value
}

// maxLink is the longest condition that a link asks for; the API takes no longer ones.
const maxLink = 1000

// logsOf is the address of the events that have the value, within the filter of the page; "" where a search cannot tell
// them from others.
func (q inquiry) logsOf(by string, value *string) string {
	filter := q.asked(eventInputs()...)
	isProperty := strings.Contains(by, ".")
	switch {
	case by == allOfThem:
	case value == nil && !isProperty:
		return ""
	case value == nil:
		filter["where"] = append(slices.Clone(filter["where"]), by+" missing")
	case isProperty:
		condition := by + "=" + operandOf(*value)
		if len(condition) > maxLink {
			return ""
		}
		filter["where"] = append(slices.Clone(filter["where"]), condition)
	case by == "user":
		filter.Set("user_id", *value)
	default:
		filter.Set(by, *value)
	}
	return "/logs?" + filter.Encode()
}

// operandOf is a value as a condition has it. The API counts numbers and truths as texts: only as they are, without quotes,
// do they equal what was counted. The text "true" is counted with the truth, and such a condition leaves it out.
func operandOf(value string) string {
	var number float64
	if value == "true" || value == "false" || json.Unmarshal([]byte(value), &number) == nil {
		return value
	}
	quoted, err := json.Marshal(value)
	if err != nil { // no text does that
		return value
	}
	return string(quoted)
}

// logs is the address of the events that the page's filter describes.
func (q inquiry) logs(name, value string) string {
	return "/logs?" + with(q.asked(eventInputs()...), name, value).Encode()
}

// otherPage is the address of another list, with what it shares with the page's filter and one value more.
func (q inquiry) otherPage(path, name, value string) string {
	filter := q.asked("environment", "since", "until")
	filter.Set(name, value)
	return path + "?" + filter.Encode()
}
