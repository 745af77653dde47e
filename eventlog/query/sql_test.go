package query_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/eventlog/query"
)

// asker asks in SQL, with bounds that a test can reach.
func (s *story) asker() *query.SQL {
	s.tb.Helper()
	config := address
	config.DSN, config.ReadOnly = s.dsn, true
	conn, err := eventlog.Connect(s.tb.Context(), config)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = conn.Close() })
	return query.NewSQL(conn, query.SQLBounds{Rows: 3, Bytes: 1 << 20, Time: time.Second, Memory: 256 << 20, Read: 100_000_000})
}

func TestSQLIsAnswered(t *testing.T) {
	s := newStory(t)
	s.event(func(e *told) { e.properties = `{"total":2.5,"items":[{"a":1}]}` })
	ask := s.asker()
	f := func(sql, want string, parameters map[string]string) {
		t.Helper()
		table, err := ask.Ask(t.Context(), sql, parameters)
		got, _ := json.Marshal(table.Rows)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", sql, got, err, want)
		}
	}
	f("SELECT 1 AS a, 'x' b -- a comment", `[[1,"x"]]`, nil)
	f("with 2 as x select x; ", `[[2]]`, nil)
	f("SELECT count(), sum(properties.total.:Float64) FROM events", `[[1,2.5]]`, nil)
	f("SELECT {name:String} /* ; INTO OUTFILE */", `[["it's ;"]]`, map[string]string{"name": "it's ;"})
	f("SELECT toDate('2026-11-25'), toDateTime64('2026-11-25 08:30:00.125', 3, 'UTC'), CAST(NULL AS Nullable(UInt8)), nan, [1.5, 1/0], map('a', [1]), tuple(1, 'x')",
		`[["2026-11-25","2026-11-25T08:30:00.125Z",null,"NaN",[1.5,"+Inf"],{"a":[1]},[1,"x"]]]`, nil)
	f("SELECT toUUID('01a21000-7860-7378-8516-9718492c9c83'), toInt128(7), toDecimal64(1.25, 2), toIPv4('10.0.0.1')", `[["01a21000-7860-7378-8516-9718492c9c83",7,"1.25","10.0.0.1"]]`, nil)
	table, err := ask.Ask(t.Context(), "SELECT number FROM numbers(10)", nil)
	if err != nil || len(table.Rows) != 3 || !table.IsCut || len(table.Columns) != 1 || table.Columns[0] != (query.TableColumn{Name: "number", Type: "UInt64"}) {
		t.Errorf("%+v, %v", table, err)
	}
}

func TestSQLAnswersAreCutAtTheirSize(t *testing.T) {
	s := newStory(t)
	table, err := s.asker().Ask(t.Context(), "SELECT repeat('x', 600000) FROM numbers(3)", nil)
	if err != nil || len(table.Rows) != 1 || !table.IsCut {
		t.Errorf("%d rows, %v, want one of 600000 bytes", len(table.Rows), err)
	}
}

func TestSQLThatDoesMoreThanReadIsRefused(t *testing.T) {
	s := newStory(t)
	s.event(nil)
	ask := s.asker()
	for _, sql := range []string{
		"", "-- nothing", "INSERT INTO events SELECT * FROM events", "DROP TABLE events", "SELECT 1; DROP TABLE events", "SELECT 1 INTO OUTFILE '/tmp/x'",
		"SELECT 1) INTO OUTFILE '/tmp/x' --", "SELECT 1 FORMAT JSON", "SELECT 1 SETTINGS readonly = 0", "SELECT 1) SETTINGS readonly=0 --", "SELECT (SELECT 1 SETTINGS max_execution_time = 0)",
		"SELECT (1", "SELECT 'x", "SELECT /* 1", "SELECT $$x$$", "SELECT ‘x’", "SET readonly = 0", "SELECT 1 FROM nothing", "EXPLAIN SELECT 1", "SELECT " + strings.Repeat("1,", 40_000) + "1",
		"WITH x AS (SELECT 1) INSERT INTO events SELECT * FROM events", "SELECT {missing:String}",
	} {
		_, err := ask.Ask(t.Context(), sql, nil)
		var bad *query.SQLError
		if !errors.As(err, &bad) || bad.Message == "" {
			t.Errorf("%.60q: %v, want a refusal", sql, err)
		}
	}
	if page, err := s.log.Events(t.Context(), query.EventFilter{}); err != nil || len(page.Items) != 1 {
		t.Errorf("afterwards: %+v, %v", page, err)
	}
}

func TestSQLEndsAtItsBounds(t *testing.T) {
	s := newStory(t)
	ask := s.asker()
	for _, sql := range []string{
		"SELECT sum(sipHash64(number)) FROM numbers(90000000000)", "SELECT sum(sleepEachRow(0.5)) FROM numbers(20)",
		"SELECT groupArray(number) FROM numbers(90000000)", "SELECT concat(repeat('x', 900000), repeat('y', 900000))",
	} {
		_, err := ask.Ask(t.Context(), sql, nil)
		var limit *query.LimitError
		if !errors.As(err, &limit) || limit.Message == "" {
			t.Errorf("%.60q: %v, want an end at a limit", sql, err)
		}
	}
}
