package eventlog_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoPropertiesAreRefused writes what JSON allows and a column of JSON may not, between two ordinary events in one
// insert: each must be in the table with its body, and nothing in the quarantine.
func TestNoPropertiesAreRefused(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	nested := func(open, shut string, depth int) string {
		return strings.Repeat(open, depth) + "1" + strings.Repeat(shut, depth)
	}
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf(`"path_%d":%d`, i, i))
	}
	odd := []string{
		`{"n":1}`, `{}`, `null`, `{"a":1,"a":2}`, `{"a":{"b":1},"a.b":2,"a":3}`, `{"a":[{"b":1,"b":{"c":2}}]}`, `{"":1,".":2,"a.":3,"^a":4,"` + "`" + `":5,"a[]":6}`,
		`{"n":99999999999999999999999999}`, `{"n":-99999999999999999999,"m":18446744073709551615}`, `{"n":1e999,"m":-1.7e309,"k":1e-999}`, `{"n":[1E400,{"m":` + strings.Repeat("9", 400) + `}]}`,
		`{"n":1,"s":"1e999 \" 99999999999999999999999999 \\"}`, `{"n":` + strings.Repeat("1", 30) + `.` + strings.Repeat("1", 5000) + `}`, `{"s":"\u0000\ud83d\ude00","t":"2020-01-01"}`,
		nested(`{"a":`, "}", 61), `{"a":` + nested("[", "]", 60) + "}", `{"a":` + nested(`[{"b":`, "}]", 30) + "}", "{" + strings.Join(many, ",") + "}",
		`{"mixed":[1,"a",null,true,{"x":1},[2,{"y":3}]]}`, `{"v":1}`, `{"v":"x"}`, `{"v":{"w":1}}`, `{"v":[1]}`, `{"v":true}`, `{"n":2}`,
	}
	bodies := make(map[string]string)
	for _, properties := range odd {
		record, meta := r.event(`{"type":"track","event":"Odd","properties":` + properties + `}`)
		bodies[meta.EventID] = string(record.Value)
		produce(t, r.client, record)
	}
	r.start()
	r.reaches(len(odd), "SELECT count() FROM events")
	if refused := r.ask("SELECT count() FROM quarantine"); refused != 0 {
		t.Errorf("%d events are in the quarantine", refused)
	}
	for id, want := range bodies {
		var body string
		if err := r.conn.QueryRow(t.Context(), "SELECT body FROM events WHERE event_id = '"+id+"'").Scan(&body); err != nil || body != want {
			t.Errorf("%.80s: got %.80s, %v", want, body, err)
		}
	}
	f := func(want uint64, where string) {
		t.Helper()
		if got := r.ask("SELECT count() FROM events WHERE " + where); got != want {
			t.Errorf("%s: %d events, want %d", where, got, want)
		}
	}
	f(2, "properties.n.:Int64 IN (1, 2) AND empty(notes) AND properties.s IS NULL")
	f(1, "properties.a.:Int64 = 1 AND notEmpty(body) AND position(body, '\"a\":2') > 0") // the first of two
	f(1, "properties.n.:Float64 = 1e26")
	f(1, "properties.n.:Float64 = -1e20 AND properties.m.:UInt64 = 18446744073709551615")
	f(1, "properties.n.:String = '1e999' AND properties.m.:String = '-1.7e309' AND properties.k.:Float64 = 0")
	f(4, "notEmpty(notes)")
	f(1, "properties.t.:String = '2020-01-01'")
	f(1, "properties.path_4999.:Int64 = 4999 AND properties.path_0.:Int64 = 0")
}
