package rules

import (
	"fmt"
	"time"
)

// maxLayout bounds the layout of a time's Format, in bytes.
const maxLayout = 100

// methods lists what can be called on a time (all in UTC) and on a duration.
func methods() []string {
	return []string{
		"Year", "Month", "Day", "Weekday", "YearDay", "Hour", "Minute", "Second", "Unix", "UnixMilli", "Format",
		"Hours", "Minutes", "Seconds", "Milliseconds",
	}
}

// callMethod calls a method of a time or a duration; of nothing, it is nil.
func callMethod(_ *Event, args []any) (any, error) {
	name := args[1].(string)
	switch receiver := args[0].(type) {
	case nil:
		return nil, nil
	case time.Time:
		if name == "Format" {
			return format(receiver, args[2:])
		}
		if result, found := partOfTime(receiver.UTC(), name); found && len(args) == 2 {
			return result, nil
		}
	case time.Duration:
		if result, found := lengthIn(receiver, name); found && len(args) == 2 {
			return result, nil
		}
	}
	return nil, fmt.Errorf("%s with %d arguments cannot be called on %s", name, len(args)-2, describeAny(args[0]))
}

func partOfTime(at time.Time, name string) (int, bool) {
	switch name {
	case "Year":
		return at.Year(), true
	case "Month":
		return int(at.Month()), true
	case "Day":
		return at.Day(), true
	case "Weekday":
		return int(at.Weekday()), true
	case "YearDay":
		return at.YearDay(), true
	case "Hour":
		return at.Hour(), true
	case "Minute":
		return at.Minute(), true
	case "Second":
		return at.Second(), true
	case "Unix":
		return int(at.Unix()), true
	case "UnixMilli":
		return int(at.UnixMilli()), true
	}
	return 0, false
}

func lengthIn(d time.Duration, name string) (float64, bool) {
	switch name {
	case "Hours":
		return d.Hours(), true
	case "Minutes":
		return d.Minutes(), true
	case "Seconds":
		return d.Seconds(), true
	case "Milliseconds":
		return float64(d) / float64(time.Millisecond), true
	}
	return 0, false
}

func format(at time.Time, args []any) (any, error) {
	if len(args) == 1 {
		if layout, isText := args[0].(string); isText && len(layout) <= maxLayout {
			return at.UTC().Format(layout), nil
		}
	}
	return nil, fmt.Errorf(`the method Format wants one layout such as "2006-01-02" of at most %d bytes`, maxLayout)
}
