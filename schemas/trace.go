package schemas

// traceHeader is the name of the header that holds the W3C traceparent of a record of the events, runs and retry topics, as
// far as it is traced: 00-TRACE-SPAN-01, below whose span the next step of the event stands. Who does not trace ignores it,
// as every unknown header is.
const traceHeader = "traceparent"

// WithTrace adds the header to those of a record, unless the traceparent is "".
func WithTrace[H ~struct {
	Key   string
	Value []byte
}](headers []H, traceparent string,
) []H {
	if traceparent == "" {
		return headers
	}
	return append(headers, H(Header{traceHeader, []byte(traceparent)}))
}

// ReadTrace returns a record's traceparent, and "" where it has none.
func ReadTrace[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) string {
	for _, header := range headers {
		if Header(header).Key == traceHeader {
			return string(Header(header).Value)
		}
	}
	return ""
}
