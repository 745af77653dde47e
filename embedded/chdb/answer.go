package chdb

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// answer writes one result or one exception. Nothing is sent before the first
// piece of the result, so that most errors still get a status of their own.
type answer struct {
	w       http.ResponseWriter
	format  string
	tag     string // marks a late exception, so that no row can be mistaken for one
	started bool
}

func newAnswer(w http.ResponseWriter, format string) *answer {
	return &answer{w: w, format: format, tag: rand.Text()[:16]}
}

// write is a sink for session.run.
func (a *answer) write(piece []byte) error {
	a.start()
	_, err := a.w.Write(piece)
	return err
}

func (a *answer) start() {
	if a.started {
		return
	}
	a.started = true
	header := a.w.Header()
	header.Set("Content-Type", contentType(a.format))
	header.Set("X-ClickHouse-Format", a.format)
	header.Set("X-ClickHouse-Exception-Tag", a.tag)
}

// fail reports err as ClickHouse does: by status and header, or, when rows have
// gone out already, by the framed block that clients look for at the end.
func (a *answer) fail(err error) {
	e := asException(err)
	if a.started {
		message := e.text + "\n"
		// The client may be gone; there is nobody else to tell.
		_, _ = fmt.Fprintf(a.w, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", a.tag, message, len(message), a.tag)
		return
	}
	header := a.w.Header()
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
	header.Set("X-Content-Type-Options", "nosniff")
	a.w.WriteHeader(e.status())
	_, _ = fmt.Fprintln(a.w, e.text)
}

// contentType is the media type ClickHouse's server gives a format.
func contentType(format string) string {
	switch {
	case format == "JSONEachRow" || format == "JSONLines" || format == "NDJSON":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8; header=" + headerWord(format)
	case strings.HasPrefix(format, "TabSeparated") || strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "Pretty") || format == "Vertical" || format == "Markdown" || format == "Values":
		return "text/plain; charset=UTF-8"
	default:
		return "application/octet-stream"
	}
}

func headerWord(format string) string {
	if strings.Contains(format, "WithNames") {
		return "present"
	}
	return "absent"
}
