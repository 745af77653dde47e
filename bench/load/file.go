package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxLine is the longest line of a file, in bytes: more than any endpoint takes.
const maxLine = 16 << 20

// EachLine calls each with the lines of an NDJSON file, empty ones left out, and their numbers, from 1. A line is valid
// until the next call.
func EachLine(file io.Reader, each func(number int, line []byte) error) error {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := each(number, line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading line %d: %w", number+1, err)
	}
	return nil
}

// ReadLines returns the lines of an NDJSON file, empty ones left out, each a copy.
func ReadLines(file io.Reader) ([][]byte, error) {
	var bodies [][]byte
	err := EachLine(file, func(_ int, line []byte) error {
		bodies = append(bodies, bytes.Clone(line))
		return nil
	})
	return bodies, err
}
