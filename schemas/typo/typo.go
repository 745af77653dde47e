// Package typo finds what a mistyped name was meant to be, for the messages that refuse it.
package typo

// Nearest returns the known name that is at most two edits from name, or "". A name that would have to be typed anew is
// not near.
func Nearest(name string, known []string) string {
	best, found := 3, ""
	for _, candidate := range known {
		// A name can be as long as a body: those that differ much in length are not compared.
		if len(name) > len(candidate)+2 || len(candidate) > len(name)+2 {
			continue
		}
		if edits := Edits(name, candidate); edits < best && edits < len(candidate) {
			best, found = edits, candidate
		}
	}
	return found
}

// Edits counts the bytes to insert, remove or replace to get from one name to the other. It takes time with the product of
// their lengths.
func Edits(from, to string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
