package manifest

// nearest returns the known name that is at most two edits from name, or "".
func nearest(name string, known []string) string {
	best, found := 3, ""
	for _, candidate := range known {
		if edits := edits(name, candidate); edits < best && edits < len(candidate) {
			best, found = edits, candidate
		}
	}
	return found
}

// edits counts the bytes to insert, remove or replace to get from one name to the other. Names of very different
// lengths are not compared.
func edits(from, to string) int {
	if len(from) > len(to)+2 || len(to) > len(from)+2 {
		return len(from) + len(to)
	}
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
