package main

import (
	"fmt"
	"strings"
)

// text is the table on a terminal of 120 columns. The name of a section stands in its first line alone.
func text(entries []entry) string {
	var titles []string
	for _, c := range columns() {
		titles = append(titles, c.title)
	}
	lines := []string{line(titles)}
	lines = append(lines, strings.Repeat("-", len(lines[0])))
	before := ""
	for i, e := range entries {
		section := e.section
		switch {
		case section == before:
			section = ""
		case i > 0:
			lines = append(lines, "")
		}
		before = e.section
		if e.problem != "" {
			lines = append(lines, e.section, indented(e.problem))
			continue
		}
		lines = append(lines, wrapped(append([]string{section}, e.cells...))...)
	}
	return strings.Join(lines, "\n")
}

// wrapped returns the lines of an entry: what is too wide for its column goes on in the next one.
func wrapped(cells []string) []string {
	all := columns()
	parts := make([][]string, len(cells))
	height := 1
	for i, cell := range cells {
		parts[i] = wrap(cell, all[i].width)
		height = max(height, len(parts[i]))
	}
	lines := make([]string, height)
	for row := range lines {
		shown := make([]string, len(cells))
		for i := range cells {
			if row < len(parts[i]) {
				shown[i] = parts[i][row]
			}
		}
		lines[row] = line(shown)
	}
	return lines
}

func line(cells []string) string {
	padded := make([]string, len(cells))
	for i, c := range columns() {
		if c.isNumber {
			padded[i] = fmt.Sprintf("%*s", c.width, cells[i])
		} else {
			padded[i] = fmt.Sprintf("%-*s", c.width, cells[i])
		}
	}
	return strings.TrimRight(strings.Join(padded, " "), " ")
}

// wrap cuts a text between words; a longer word stays whole.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if last := len(lines) - 1; last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

func indented(problem string) string {
	return "  " + strings.Join(wrap(problem, 116), "\n  ")
}
