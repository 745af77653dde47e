package api

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/schemas/typo"
)

// suggestion ends the message about a name that nobody knows: with the nearest that is known, or with all.
func suggestion(name string, known []string) string {
	// Two letters that changed places are two edits; in a short name that is most of it.
	best, found := 1+max(len(name)/3, min(len(name)/2, 2)), ""
	lower := strings.ToLower(name)
	for _, candidate := range known {
		// A member's name can be as long as a body: those that differ much in length are not compared.
		if len(lower) > 2*len(candidate) || len(candidate) > 2*len(lower) {
			continue
		}
		if edits := typo.Edits(lower, candidate); edits < best {
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
