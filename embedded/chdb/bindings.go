package chdb

import (
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// minVersion is the oldest engine library with stream inserts, statement
// classification and signal handlers that can be switched off before connecting.
const minVersion = "26.7.3"

// library is the engine's C interface. Handles are opaque; a field's name is
// the C function's without its chdb_ prefix. purego registers a function of
// this shape for each, so a wrong signature here corrupts memory rather than
// failing: change one only with the library's header at hand.
type library struct {
	version           func() string
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv **byte) *unsafe.Pointer
	closeConn         func(conn *unsafe.Pointer)
	query             queryFunc
	streamQuery       queryFunc
	streamFetch       func(conn, stream unsafe.Pointer) unsafe.Pointer
	streamCancel      func(conn, stream unsafe.Pointer)
	resultBuffer      func(result unsafe.Pointer) *byte
	resultLength      func(result unsafe.Pointer) uintptr
	resultError       func(result unsafe.Pointer) string
	destroyResult     func(result unsafe.Pointer)
	insertStream      func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr) unsafe.Pointer
	insertAppend      func(insert unsafe.Pointer, data *byte, n uintptr) int32
	insertDone        func(insert unsafe.Pointer) unsafe.Pointer
	insertCancel      func(insert unsafe.Pointer)
	insertError       func(insert unsafe.Pointer) string
	destroyInsert     func(insert unsafe.Pointer)
	classify          func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, db *byte, dbLen uintptr, out *analysis) int32
}

// queryFunc is the shape shared by the two calls that take parameters:
// connection, statement, output format, then names and values with lengths.
type queryFunc func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr,
	names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) unsafe.Pointer

// analysis mirrors the library's struct of four 32-bit words, of which the third holds flags that nobody here reads; the
// caller sets size.
type analysis struct {
	size, statements, _, class uint32
}

// symbols pairs each C name with the field it fills.
func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_version":                     &l.version,
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_query_with_params_n":  &l.streamQuery,
		"chdb_stream_fetch_result":         &l.streamFetch,
		"chdb_stream_cancel_query":         &l.streamCancel,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_destroy_query_result":        &l.destroyResult,
		"chdb_stream_insert_n":             &l.insertStream,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.destroyInsert,
		"chdb_classify_query_n":            &l.classify,
	}
}

// versionAtLeast compares dotted versions number by number; what follows the
// digits of a part ("3-rc") is ignored and a missing part counts as 0.
func versionAtLeast(got, want string) bool {
	gotParts, wantParts := strings.Split(got, "."), strings.Split(want, ".")
	for i, part := range wantParts {
		w, g := leadingNumber(part), 0
		if i < len(gotParts) {
			g = leadingNumber(gotParts[i])
		}
		if g != w {
			return g > w
		}
	}
	return true
}

func leadingNumber(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}

// cStrings lays out strings as the C side wants lists of them: pointers beside
// lengths, not NUL-terminated. The result references the strings' own memory.
func cStrings(list []string) (pointers **byte, lengths *uintptr) {
	if len(list) == 0 {
		return nil, nil
	}
	ptrs, lens := make([]*byte, len(list)), make([]uintptr, len(list))
	for i, s := range list {
		// An empty string has no address of its own; the length says to read nothing.
		ptrs[i], lens[i] = unsafe.StringData(s+"\x00"), uintptr(len(s))
	}
	return &ptrs[0], &lens[0]
}

// call runs one of the two query functions and keeps every argument alive until it returns.
func (f queryFunc) call(conn unsafe.Pointer, st statement) unsafe.Pointer {
	names, nameLens := cStrings(st.paramNames)
	values, valueLens := cStrings(st.paramValues)
	result := f(conn, unsafe.StringData(st.sql), uintptr(len(st.sql)),
		unsafe.StringData(st.format), uintptr(len(st.format)),
		names, nameLens, values, valueLens, uintptr(len(st.paramNames)))
	runtime.KeepAlive(st)
	runtime.KeepAlive(names)
	runtime.KeepAlive(values)
	return result
}
