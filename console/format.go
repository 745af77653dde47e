package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// functions are what templates can call.
func functions(version string) template.FuncMap {
	return template.FuncMap{
		"asset":    func(name string) string { return "/static/" + version + "/" + name },
		"members":  members,
		"list":     func(items ...any) []any { return items },
		"utc":      func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000 UTC") },
		"iso":      func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) },
		"number":   number,
		"percent":  percent,
		"duration": duration,
		"words":    words,
		"tone":     tone,
		"pretty":   func(raw json.RawMessage) string { return pretty(raw) },
		"input":    func(text string) string { return cut(text, shownInput) },
		"short":    func(text string) string { return cut(text, shownID) },
	}
}

// members makes what a part of a template is given: members "name" value "name" value.
func members(pairs ...any) (map[string]any, error) {
	made := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, isName := pairs[i].(string)
		if !isName {
			return nil, errors.New("members: names and values must alternate")
		}
		made[name] = pairs[i+1]
	}
	return made, nil
}

// number writes a count with its thousands apart: 1,234,567.
func number(n any) string {
	digits := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, parts...), ",")
}

// percent writes a share of 0 to 1.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "< 0.1%"
	case share < 1 && share > 0.999:
		return "> 99.9%"
	}
	return strconv.FormatFloat(math.Round(share*1000)/10, 'f', -1, 64) + "%"
}

// duration writes milliseconds as people say them.
func duration(ms float64) string {
	switch {
	case ms < 10:
		return strconv.FormatFloat(math.Round(ms*10)/10, 'f', -1, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(math.Round(ms), 'f', -1, 64) + " ms"
	case ms < 100_000:
		return strconv.FormatFloat(math.Round(ms/100)/10, 'f', -1, 64) + " s"
	}
	return strings.TrimSuffix(time.Duration(ms*float64(time.Millisecond)).Round(time.Minute).String(), "0s")
}

// words writes what the API names with underscores; a status that is not there yet is undecided.
func words(name any) string {
	text := strings.ReplaceAll(fmt.Sprint(name), "_", " ")
	if text == "" {
		return "undecided"
	}
	return text
}

// tone says how something turned out, in the colour of its badge.
func tone(outcome any) string {
	switch fmt.Sprint(outcome) {
	case "processed", "matched", "delivered", "created", "accepted", "ok", "first", "active", "completed":
		return "good"
	case "failed", "mapping_error", "condition_error", "dead", "failing", "down", "open":
		return "bad"
	case "retrying", "behind", "refused", "paused":
		return "warn"
	case "", "pending", "resent", "running":
		return "wait"
	}
	return "idle"
}

// pretty indents JSON, or leaves alone what is none.
func pretty(raw []byte) string {
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		return string(raw)
	}
	return indented.String()
}

// shownID is how many bytes of an ID fit a table; nothing bounds what senders call their users.
const shownID = 200

// ellipsis ends a text that was cut.
const ellipsis = "…"

// cut shortens a text to at most so many bytes and an ellipsis, at the end of a character.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size] + ellipsis
}
