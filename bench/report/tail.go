package main

import (
	"bytes"
	"strings"
)

// tailBytes is how much is kept of what a benchmark says: enough for the line in which it says why it ends.
const tailBytes = 4096

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// Write implements io.Writer.
func (t *tail) Write(text []byte) (int, error) {
	t.kept = append(t.kept, text...)
	if over := len(t.kept) - tailBytes; over > 0 {
		t.kept = bytes.Clone(t.kept[over:])
	}
	return len(text), nil
}

// lastLine returns the last line that says something; a progress bar ends its own with a return.
func (t *tail) lastLine() string {
	lines := strings.FieldsFunc(string(t.kept), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line != "" && !strings.HasPrefix(line, "exit status") { // which `go run` adds
			return line
		}
	}
	return ""
}
