package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/bench/results"
)

// entry is a line of the table: a row, or a section that has none and why.
type entry struct {
	section string
	cells   []string // as columns() names them, from the second on
	problem string
}

// column is one of the table, and how many characters wide it is at most as text: 120 in all.
type column struct {
	title    string
	width    int
	isNumber bool
}

func columns() []column {
	return []column{
		{"section", 9, false},
		{"what", 31, false},
		{"unit", 12, false},
		{"ours", 9, true},
		{"beside", 23, false},
		{"theirs", 9, true},
		{"ratio", 6, true},
		{"goal", 14, false},
	}
}

func entriesOf(outcomes []outcome) []entry {
	var all []entry
	for _, o := range outcomes {
		if o.Problem != "" {
			all = append(all, entry{section: o.Name, problem: "NO FIGURES: " + strings.Join(strings.Fields(o.Problem), " ")})
		}
		for _, row := range o.Rows {
			all = append(all, entry{section: row.Section, cells: []string{
				row.What, row.Unit, number(row.Ours), row.Beside, number(row.Theirs), ratio(row), goal(row),
			}})
		}
	}
	return all
}

// number writes three digits or more, with thousands apart.
func number(value float64) string {
	switch {
	case value < 10:
		return strconv.FormatFloat(value, 'f', 2, 64)
	case value < 100:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	text := strconv.FormatFloat(value, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func ratio(row results.Row) string {
	if quotient := row.Ratio(); !math.IsNaN(quotient) && !math.IsInf(quotient, 0) {
		return strconv.FormatFloat(quotient, 'f', 2, 64)
	}
	return "-"
}

// goal says what the ratio should be and whether it is.
func goal(row results.Row) string {
	if row.Goal == 0 {
		return ""
	}
	sign, verdict := ">=", "met"
	if row.IsCeiling {
		sign = "<="
	}
	if !row.IsMet() {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %g %s", sign, row.Goal, verdict)
}

// markdown is the table in a document.
func markdown(entries []entry) string {
	var b strings.Builder
	for _, c := range columns() {
		b.WriteString("| " + c.title + " ")
	}
	b.WriteString("|\n")
	for _, c := range columns() {
		if c.isNumber {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for _, e := range entries {
		cells := e.cells
		if e.problem != "" {
			cells = make([]string, len(columns())-1)
			cells[0] = "**" + e.problem + "**"
		}
		for _, cell := range append([]string{e.section}, cells...) {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}
