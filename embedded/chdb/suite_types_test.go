package chdb_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

func TestEveryTypeComesBackAsItWasInserted(t *testing.T) {
	conn := database(t)
	at := time.Date(2026, 11, 23, 10, 11, 12, 345_000_000, time.UTC)
	note := "kept"
	id := uuid.MustParse("01934b2e-6b1a-7c3d-8e4f-a1b2c3d4e5f6")
	cases := []struct {
		typ  string
		want any
	}{
		{"String", "tab\t quote ' backslash \\ é \x00 end"},
		{"LowCardinality(String)", "signed_up"},
		{"LowCardinality(Nullable(String))", &note},
		{"Nullable(String)", &note},
		{"Nullable(Int64)", (*int64)(nil)},
		{"FixedString(4)", "abcd"},
		{"UInt8", uint8(255)},
		{"Int64", int64(-1 << 62)},
		{"UInt64", uint64(1<<64 - 1)},
		{"Float64", 0.1},
		{"Bool", true},
		{"UUID", id},
		{"DateTime64(3, 'UTC')", at},
		{"Date", at.Truncate(24 * time.Hour)},
		{"Enum8('a' = 1, 'b' = 2)", "b"},
		{"Array(String)", []string{"x", "", "z"}},
		{"Array(Array(UInt32))", [][]uint32{{1, 2}, {}, {3}}},
		{"Array(Nullable(String))", []*string{&note, nil}},
		{"Map(String, String)", map[string]string{"a": "1", "b": ""}},
		{"DateTime('UTC')", at.Truncate(time.Second)},
		{"Date32", at.Truncate(24 * time.Hour)},
		{"Int128", new(big.Int).Lsh(big.NewInt(-1), 100)},
		{"IPv4", net.IPv4(192, 0, 2, 1).To4()},
		{"IPv6", net.ParseIP("2001:db8::1")},
		{"Tuple(String, UInt8)", []any{"a", uint8(1)}},
		{"Array(Tuple(a String, b UInt8))", []map[string]any{{"a": "x", "b": uint8(1)}, {"a": "y", "b": uint8(2)}}},
		{"SimpleAggregateFunction(sum, UInt64)", uint64(7)},
		{"Map(LowCardinality(String), Array(Int32))", map[string][]int32{"a": {1}, "b": {2, 3}}},
	}
	for _, c := range cases {
		t.Run(c.typ, func(t *testing.T) {
			do(t, conn, "CREATE OR REPLACE TABLE t (v "+c.typ+") ENGINE = MergeTree ORDER BY tuple()")
			insert(t, conn, "INSERT INTO t", c.want)
			got := reflect.New(reflect.TypeOf(c.want))
			if err := conn.QueryRow(t.Context(), "SELECT v FROM t").Scan(got.Interface()); err != nil {
				t.Fatal(err)
			}
			if !same(got.Elem().Interface(), c.want) {
				t.Errorf("got %#v, want %#v", got.Elem().Interface(), c.want)
			}
		})
	}
}

func TestAJSONColumnComesBackAsItWasInserted(t *testing.T) {
	conn := database(t)
	document := clickhouse.NewJSON()
	document.SetValueAtPath("plan", "pro")
	document.SetValueAtPath("seats", int64(7))
	do(t, conn, "CREATE TABLE j (v JSON) ENGINE = MergeTree ORDER BY tuple()")
	insert(t, conn, "INSERT INTO j", document)
	do(t, conn, `INSERT INTO j VALUES ('{"plan":"free","seats":1,"tags":["a",{"b":2}]}')`)
	f := func(plan, want string) {
		t.Helper()
		if got := scalar[string](t, conn, "SELECT toString(v) FROM j WHERE v.plan::String = '"+plan+"'"); got != want {
			t.Errorf("as text: got %s, want %s", got, want)
		}
		got := clickhouse.NewJSON()
		if err := conn.QueryRow(t.Context(), "SELECT v FROM j WHERE v.plan::String = '"+plan+"'").Scan(got); err != nil {
			t.Fatal(err)
		}
		if _, found := got.ValueAtPath("plan"); !found {
			t.Errorf("%s: the document came back without its plan", plan)
		}
	}
	f("pro", `{"plan":"pro","seats":7}`)
	f("free", `{"plan":"free","seats":1,"tags":["a",{"b":2}]}`)
}

// same compares moments whatever zone they are told in.
func same(got, want any) bool {
	if moment, ok := want.(time.Time); ok {
		return moment.Equal(got.(time.Time))
	}
	return reflect.DeepEqual(got, want)
}

func TestAResultWithoutRowsHasNone(t *testing.T) {
	conn := database(t)
	var dummy uint8
	if err := conn.QueryRow(t.Context(), "SELECT dummy FROM system.one WHERE dummy = 1").Scan(&dummy); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("got %v, want sql.ErrNoRows", err)
	}
}

func TestALargeResultArrivesWhole(t *testing.T) {
	conn := database(t)
	rows, err := conn.Query(t.Context(), "SELECT number, toString(number) FROM numbers(500000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var sum, count uint64
	for rows.Next() {
		var n uint64
		var text string
		if err := rows.Scan(&n, &text); err != nil {
			t.Fatal(err)
		}
		sum, count = sum+n, count+1
	}
	if err := rows.Err(); err != nil || count != 500_000 || sum != 124_999_750_000 {
		t.Errorf("got %d rows with sum %d, error %v", count, sum, err)
	}
}

func TestColumnsOfMoreThanOneTypeComeBackAsTheyWereInserted(t *testing.T) {
	conn := database(t)
	f := func(typ, literal, want string) {
		t.Helper()
		do(t, conn, "CREATE OR REPLACE TABLE t (v "+typ+") ENGINE = MergeTree ORDER BY tuple()")
		do(t, conn, "INSERT INTO t VALUES ("+literal+")")
		rows, err := conn.Query(t.Context(), "SELECT v FROM t")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got clickhouse.Dynamic
		if !rows.Next() {
			t.Fatalf("%s: no row, error %v", typ, rows.Err())
		}
		if err := rows.Scan(&got); err != nil || fmt.Sprint(got.Any()) != want {
			t.Errorf("%s: got %v, error %v, want %s", typ, got.Any(), err, want)
		}
	}
	f("Dynamic", "'text'::Dynamic", "text")
	f("Dynamic", "[1, 2]::Array(Int64)::Dynamic", "[1 2]")
	f("Variant(String, UInt64)", "7::UInt64", "7")
	f("Variant(String, UInt64)", "'text'", "text")
}

func TestAJSONColumnWithTypedPathsAndListsComesBack(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE j (v JSON(plan String, seats UInt32)) ENGINE = MergeTree ORDER BY tuple()")
	do(t, conn, `INSERT INTO j VALUES ('{"plan":"free","seats":1,"tags":["a","b"],"mixed":[1,"x",null,{"b":2}]}'), ('{"tags":7}')`)
	rows, err := conn.Query(t.Context(), "SELECT v, toString(v) FROM j")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		document := clickhouse.NewJSON()
		if err := rows.Scan(document, &text); err != nil {
			t.Fatal(err)
		}
		if _, found := document.ValueAtPath("tags"); !found {
			t.Errorf("%s came back without its tags", text)
		}
		texts = append(texts, text)
	}
	want := []string{`{"mixed":[1,"x",null,{"b":2}],"plan":"free","seats":1,"tags":["a","b"]}`, `{"plan":"","seats":0,"tags":7}`}
	if rows.Err() != nil || !slices.Equal(texts, want) {
		t.Errorf("got %q, error %v", texts, rows.Err())
	}
}

func TestNestedColumnsAndAggregatesComeBack(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE n (id UInt64, item Nested(name String, price Decimal(9, 2))) ENGINE = MergeTree ORDER BY id")
	do(t, conn, "INSERT INTO n VALUES (1, ['a', 'b'], [1.25, 2.5]), (2, [], [])")
	do(t, conn, "CREATE TABLE s (users AggregateFunction(uniq, UInt64)) ENGINE = AggregatingMergeTree ORDER BY tuple()")
	do(t, conn, "INSERT INTO s SELECT uniqState(number) FROM numbers(100)")
	if got := scalar[[]string](t, conn, "SELECT item.name FROM n WHERE id = 1"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	if got := scalar[string](t, conn, "SELECT toString(arraySum(item.price)) FROM n WHERE id = 1"); got != "3.75" {
		t.Errorf("got %s", got)
	}
	if got := scalar[uint64](t, conn, "SELECT uniqMerge(users) FROM s"); got != 100 {
		t.Errorf("got %d", got)
	}
}
