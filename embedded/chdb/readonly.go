package chdb

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	// readonlySlots bounds what curl and dashboards can run at once, apart from
	// the internal interface's slots, so that they cannot hold up the pipeline.
	readonlySlots = 4
	// readonlyStatement is ClickHouse's own default for max_query_size, in bytes.
	readonlyStatement = 256 << 10
	// readonlySeconds is the longest a statement may run; a request may ask for less.
	readonlySeconds = 30
)

// readonly is the interface for curl and dashboards on a loopback port. It has
// no authentication, so it admits only statements that read the database.
type readonly struct {
	engine    *engine
	gate      *gate
	slots     slots
	maxMemory int64
}

func newReadonly(e *engine, g *gate, o ChildOptions) http.Handler {
	h := &readonly{engine: e, gate: g, slots: make(slots, readonlySlots), maxMemory: o.MaxServerMemoryUsage / 2}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", ping)
	mux.HandleFunc("GET /{$}", h.serve)
	mux.HandleFunc("POST /{$}", h.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		newAnswer(w, "").fail(refused("this interface has GET /ping, GET /?query= and POST / only"))
	})
	return loopbackHosts(mux)
}

// loopbackHosts refuses requests that name another host: a web page whose name
// was pointed at 127.0.0.1 (DNS rebinding) could otherwise read everything.
func loopbackHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackHost(r.Host) {
			newAnswer(w, "").fail(refused("the Host header must be localhost or a loopback address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (h *readonly) serve(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r, readonlyStatement)
	answer := newAnswer(w, req.format)
	if err == nil && req.rows != nil {
		err = refused("INSERT writes")
	}
	if err != nil {
		answer.fail(err)
		return
	}
	if req.sql == "" && r.Method != http.MethodPost {
		ping(w, r)
		return
	}
	err = h.slots.use(r.Context(), h.engine, func(s *session) error { return h.run(s, r, req, answer) })
	if err != nil {
		answer.fail(err)
		return
	}
	answer.start()
}

func (h *readonly) run(s *session, r *http.Request, req request, answer *answer) error {
	if req.hello {
		return s.hello(answer)
	}
	allowed, limits, err := h.sortSettings(req.settings)
	if err != nil {
		return err
	}
	req.settings = allowed
	if err := s.prepare(req); err != nil {
		return err
	}
	if req.sql, err = h.gate.admit(s, req.sql); err != nil {
		return err
	}
	// Last: from here on nothing can be set any more.
	if err := s.prepare(request{settings: limits}); err != nil {
		return err
	}
	return s.run(r.Context(), req.statement, answer.write)
}

// sortSettings splits what a request asks for into harmless settings and the
// limits every statement gets; anything else is refused as ClickHouse would.
func (h *readonly) sortSettings(asked []setting) (allowed, limits []setting, err error) {
	seconds := readonlySeconds
	for _, s := range asked {
		switch {
		case s.name == "max_execution_time":
			seconds = shorter(s.value, seconds)
		case s.name == "readonly" && (s.value == "1" || s.value == "2"):
		case harmless(s.name):
			allowed = append(allowed, s)
		default:
			return nil, nil, newException(codeReadonly, fmt.Sprintf("Cannot modify %s setting in readonly mode", quoteString(s.name)), "READONLY")
		}
	}
	limits = []setting{
		{"max_execution_time", strconv.Itoa(seconds)},
		{"max_memory_usage", strconv.FormatInt(h.maxMemory, 10)},
		{"readonly", "1"},
	}
	return allowed, limits, nil
}

// shorter reads a number of seconds; 0 would mean no limit and is not obeyed.
func shorter(value string, limit int) int {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds <= 0 || seconds >= float64(limit) {
		return limit
	}
	return max(1, int(seconds))
}

// harmless settings change how much is returned or how it is printed. Not every
// output_format_ setting is: output_format_schema names a file to write.
func harmless(name string) bool {
	known := []string{
		"max_block_size", "max_result_rows", "max_result_bytes", "max_rows_to_read", "max_threads",
		"result_overflow_mode", "extremes", "session_timezone", "date_time_output_format",
		"output_format_write_statistics", "output_format_decimal_trailing_zeros",
	}
	prefixes := []string{"output_format_json_", "output_format_csv_", "output_format_tsv_", "output_format_pretty_"}
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.Contains(known, name) || slices.ContainsFunc(prefixes, hasPrefix)
}
