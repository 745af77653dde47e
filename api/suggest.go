package api

import (
	"fmt"
	"strings"
)

// suggestion ends the message about a name that nobody knows: with the nearest that is known, or with all.
func suggestion(name string, known []string) string {
	// Two letters that changed places are two edits; in a short name that is most of it.
	best, found := 1+max(len(name)/3, min(len(name)/2, 2)), ""
	for _, candidate := range known {
		if edits := edits(strings.ToLower(name), candidate); edits < best {
			best, found = edits, candidate
		}
	}
	if found != "" {
		return fmt.Sprintf("; did you mean %s?", found)
	}
	if len(known) == 0 {
		return "; there are none"
	}
	return "; known are " + strings.Join(known, ", ")
}

// edits counts the bytes to insert, remove or replace between a and b. Names that differ much in length are not
// compared: a member's name can be as long as a body.
func edits(a, b string) int {
	if len(a) > 2*len(b) || len(b) > 2*len(a) {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
