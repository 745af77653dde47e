package chdb

import "testing"

func TestTheFormatOfAnInsertIsTakenOff(t *testing.T) {
	f := func(sql, wantInsert, wantFormat string) {
		t.Helper()
		insert, format, ok := splitInsert(sql)
		if insert != wantInsert || format != wantFormat || ok != (wantFormat != "") {
			t.Errorf("%q: got %q, %q, %t", sql, insert, format, ok)
		}
	}
	f("INSERT INTO t FORMAT Native", "INSERT INTO t ", "Native")
	f("insert into t (a, `format`) format\n CSV ; -- end", "insert into t (a, `format`) ", "CSV")
	f("/* FORMAT X */ INSERT INTO `FORMAT` SETTINGS a = 1 FORMAT TSV", "/* FORMAT X */ INSERT INTO `FORMAT` SETTINGS a = 1 ", "TSV")
	f("INSERT INTO t VALUES ('FORMAT CSV')", "INSERT INTO t VALUES ('FORMAT CSV')", "")
	f("INSERT INTO t VALUES ('it''s \\' FORMAT CSV", "INSERT INTO t VALUES ('it''s \\' FORMAT CSV", "")
	f("INSERT INTO t SELECT $x$ FORMAT CSV $x$", "INSERT INTO t SELECT $x$ FORMAT CSV $x$", "")
	f("SELECT 1 FORMAT CSV", "SELECT 1 FORMAT CSV", "")
	f("FORMAT CSV", "FORMAT CSV", "")
	f("", "", "")
}

func TestTheFormatOfAQueryIsFound(t *testing.T) {
	f := func(sql, want string) {
		t.Helper()
		if got, ok := outputFormat(sql); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %t", sql, got, ok)
		}
	}
	f("SELECT 1 FORMAT JSON", "JSON")
	f("SELECT 1 format JSON SETTINGS a = 1;", "JSON")
	f("SELECT format FROM t", "")
	f("SELECT 1 -- FORMAT JSON", "")
	f("SELECT ' FORMAT JSON'", "")
}

func TestVersionsCompareByNumber(t *testing.T) {
	f := func(got string, want bool) {
		t.Helper()
		if versionAtLeast(got, minVersion) != want {
			t.Errorf("%q: want %t", got, want)
		}
	}
	f("26.7.3", true)
	f("26.10.0", true)
	f("27", true)
	f("26.7.3-stable.1", true)
	f("26.7.2-rc", false)
	f("26.7", false)
	f("4.4.0", false)
	f("", false)
}

func FuzzLexCoversEveryByteOnce(f *testing.F) {
	for _, seed := range []string{"INSERT INTO t FORMAT Native", "SELECT 'a\\'b', `c``d`, $x$y$x$ -- z\n/* q */ # r", "'", "$", "$a", "/*", "--", "\u00a0é\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		at := 0
		for _, token := range lex(sql) {
			for at < token.start {
				skip := blank(sql[at:])
				if skip == 0 {
					t.Fatalf("%q is between tokens", sql[at:token.start])
				}
				at += skip
			}
			if at != token.start || token.end <= token.start || token.end > len(sql) {
				t.Fatalf("token %+v after byte %d of %d", token, at, len(sql))
			}
			at = token.end
		}
		if insert, format, ok := splitInsert(sql); ok && (format == "" || len(lex(insert)) == 0 || sql[:len(insert)] != insert) {
			t.Fatalf("split into %q and %q", insert, format)
		}
		literal := lex(quoteString(sql))
		if len(literal) != 1 || literal[0].kind != text {
			t.Fatalf("%q is not one literal", quoteString(sql))
		}
	})
}
