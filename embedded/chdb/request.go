package chdb

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxStatement bounds the SQL text of a request to the internal interface; an
// INSERT with its rows inline counts whole. Rows sent as a body do not count.
const maxStatement = 64 << 20

// setting is one ClickHouse setting for one request.
type setting struct{ name, value string }

// request is what a ClickHouse client asked for over HTTP.
type request struct {
	statement
	database string
	settings []setting
	hello    bool      // the driver's first question
	rows     io.Reader // an INSERT's rows, or nil where sql is the whole statement
}

// readonly tells whether the request gives up its right to write.
func (req *request) readonly() bool {
	return slices.ContainsFunc(req.settings, func(s setting) bool { return s.name == "readonly" && s.value != "0" })
}

// isTransportArgument tells the URL arguments that are no settings. Those naming a
// session, a user or a query ID have no meaning with one user and a new
// connection for every request; the rest steer parts of a server that are not here.
func isTransportArgument(name string) bool {
	switch name {
	case "query", "database", "default_format", "client_protocol_version", "query_id", "quota_key",
		"session_id", "session_timeout", "session_check", "user", "password", "role", "stacktrace",
		"buffer_size", "wait_end_of_query", "enable_http_compression", "http_headers_progress_interval_ms",
		"send_progress_in_http_headers", "add_http_cors_header", "network_compression_method",
		"network_zstd_compression_level", "close_session", "http_write_exception_in_output_format":
		return true
	}
	return false
}

// readRequest takes the statement from ?query= and the body as ClickHouse does:
// either alone, or joined; after an INSERT ... FORMAT in the URL the body is rows.
func readRequest(r *http.Request, maxSQL int64) (request, error) {
	// A statement may end in a bare semicolon, which Go's parser would drop it for.
	arguments, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return request{}, newException(codeSyntaxError, "Cannot read the URL: "+err.Error(), "SYNTAX_ERROR")
	}
	if err := refuseEncodings(r, arguments); err != nil {
		return request{}, err
	}
	req := request{database: firstOf(arguments.Get("database"), r.Header.Get("X-ClickHouse-Database"))}
	req.format = firstOf(r.Header.Get("X-ClickHouse-Format"), arguments.Get("default_format"), "TabSeparated")
	req.addArguments(arguments)
	req.sql = arguments.Get("query")
	if insert, format, ok := splitInsert(req.sql); ok {
		req.sql, req.format, req.rows = insert, format, r.Body
		return req, nil
	}
	if err := req.joinBody(r.Body, maxSQL); err != nil {
		return request{}, err
	}
	req.hello = isHello(req.sql, arguments)
	if format, ok := outputFormat(req.sql); ok {
		req.format = format
	}
	return req, nil
}

// addArguments sorts URL arguments into parameters and settings, by name so
// that a request always runs in the same way.
func (req *request) addArguments(arguments url.Values) {
	names := make([]string, 0, len(arguments))
	for name := range arguments {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := arguments.Get(name)
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			req.paramNames, req.paramValues = append(req.paramNames, param), append(req.paramValues, value)
			continue
		}
		if !isTransportArgument(name) {
			req.settings = append(req.settings, setting{name, value})
		}
	}
}

func (req *request) joinBody(body io.Reader, maxSQL int64) error {
	rest, err := io.ReadAll(io.LimitReader(body, maxSQL+1))
	if err != nil {
		return err
	}
	if int64(len(rest)+len(req.sql)) > maxSQL {
		return newException(codeSyntaxError, "The statement is too long: send rows after INSERT ... FORMAT in the URL", "SYNTAX_ERROR")
	}
	if req.sql == "" {
		req.sql = string(rest)
	} else if len(rest) > 0 {
		req.sql += "\n" + string(rest)
	}
	return nil
}

// refuseEncodings names what the embedded engine cannot do, instead of reading
// compressed or multipart bytes as SQL.
func refuseEncodings(r *http.Request, arguments url.Values) error {
	switch {
	case arguments.Get("compress") == "1" || arguments.Get("decompress") == "1" || r.Header.Get("Content-Encoding") != "":
		return newException(codeSupportDisabled, "The embedded ClickHouse takes no compression: leave the client's compression off", "SUPPORT_IS_DISABLED")
	case strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/"):
		return newException(codeSupportDisabled, "The embedded ClickHouse takes no external tables", "SUPPORT_IS_DISABLED")
	default:
		return nil
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
