package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxLine is the longest line of a file, in bytes: more than any endpoint takes.
const maxLine = 16 << 20

// ReadLines returns the lines of an NDJSON file, empty ones left out, each a copy.
func ReadLines(file io.Reader) ([][]byte, error) {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	var bodies [][]byte
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			bodies = append(bodies, bytes.Clone(line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading line %d: %w", len(bodies)+1, err)
	}
	return bodies, nil
}
