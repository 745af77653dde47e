package console

import (
	"strings"

	"github.com/millrace/millrace/schemas"
)

// settingChange is a setting of a trigger before and after, line by line.
type settingChange struct {
	Name  string
	Lines []diffLine
}

// diffLine is a line that was taken away, added, or neither.
type diffLine struct {
	Mark string // - or +, "" for neither
	Text string
}

// Shown are the bounds of a change, so that one literal does not fill the page.
const (
	shownLine    = 600 // bytes
	shownContext = 2   // lines around a change
)

func (s settingChange) size() int {
	size := len(s.Name)
	for _, line := range s.Lines {
		size += len(line.Text) + 24 // and its element
	}
	return size
}

// setting is one of a trigger's, as people read it.
type setting struct{ name, text string }

func settingsOf(t schemas.Trigger) []setting {
	all := []setting{
		{"name", t.Name},
		{"description", t.Description},
		{"environment", t.Environment},
		{"source", t.SourceID},
		{"event", t.Event},
		{"workflow", t.Workflow},
		{"condition", t.Condition},
		{"status", string(t.Status)},
	}
	for _, row := range mappingLines(t.Mapping) {
		all = append(all, setting{row.Name, row.String()})
	}
	return all
}

// changesBetween lists the settings that differ, those of after first, in the order in which they are set. Nothing before
// or after is a trigger without an ID.
func changesBetween(before, after schemas.Trigger) []settingChange {
	was, is := map[string]string{}, map[string]string{}
	var names []string
	collect := func(of schemas.Trigger, into map[string]string) {
		if of.ID == "" {
			return
		}
		for _, s := range settingsOf(of) {
			into[s.name] = s.text
		}
	}
	collect(before, was)
	collect(after, is)
	for _, s := range append(settingsOf(after), settingsOf(before)...) {
		if was[s.name] != is[s.name] {
			names = append(names, s.name)
		}
	}
	var changes []settingChange
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] {
			changes = append(changes, settingChange{name, diffLines(was[name], is[name])})
		}
		seen[name] = true
	}
	return changes
}

// diffLines compares texts line by line: what both begin and end with is kept, what is between them was replaced.
func diffLines(before, after string) []diffLine {
	was, is := linesOf(before), linesOf(after)
	same := 0
	for same < min(len(was), len(is)) && was[same] == is[same] {
		same++
	}
	end := 0
	for end < min(len(was), len(is))-same && was[len(was)-1-end] == is[len(is)-1-end] {
		end++
	}
	var lines []diffLine
	add := func(mark string, texts []string) {
		for _, text := range texts {
			lines = append(lines, diffLine{mark, cut(text, shownLine)})
		}
	}
	add("", was[max(0, same-shownContext):same])
	add("-", was[same:len(was)-end])
	add("+", is[same:len(is)-end])
	add("", was[len(was)-end:min(len(was), len(was)-end+shownContext)])
	return lines
}

// linesOf are the lines of a text, none of an empty one. Forms send lines that end as on the wire.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}
