package jsonscan_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace/millrace/schemas/jsonscan"
)

func TestMembersAreFoundWhereTheyLie(t *testing.T) {
	members, isCompact, err := jsonscan.AppendMembers(nil, []byte(" {\"a\" : 1 ,\"b\\n\":{\"c\":[2, 3]},\"a\":\"\\u00e9ü\"}\n"), 3)
	if err != nil {
		t.Fatal(err)
	}
	want := []jsonscan.Member{
		{Name: []byte("a"), Value: []byte("1")},
		{Name: []byte(`b\n`), Value: []byte(`{"c":[2, 3]}`)},
		{Name: []byte("a"), Value: []byte(`"\u00e9ü"`)},
	}
	if isCompact {
		t.Error("a text with spaces is called compact")
	}
	if len(members) != len(want) {
		t.Fatalf("%d members, want %d", len(members), len(want))
	}
	for i := range want {
		if !bytes.Equal(members[i].Name, want[i].Name) || !bytes.Equal(members[i].Value, want[i].Value) {
			t.Errorf("member %d is %q: %q, want %q: %q", i, members[i].Name, members[i].Value, want[i].Name, want[i].Value)
		}
	}
}

func TestFaultsSayWhatAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":              "not valid JSON: it ends early",
		`{"a":`:         "not valid JSON: it ends early",
		`{"a":1}}`:      `not valid JSON: something follows the JSON value, at byte 7`,
		`{"a":01}`:      `not valid JSON: unexpected '1' at byte 6`,
		`{"a":"` + "\t": `not valid JSON: unexpected '\t' at byte 6`,
		`[[[[]]]]`:      "too many levels of objects and arrays at byte 3, at most 3 are read",
	} {
		_, _, err := jsonscan.AppendMembers(nil, []byte(text), 3)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// FuzzAppendMembers compares with jsontext, which reads the same language.
func FuzzAppendMembers(f *testing.F) {
	for _, line := range samples(f) {
		f.Add(line)
	}
	for _, text := range []string{
		`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ud83dx"`, "\"\xff\"", "\"\xed\xa0\x80\"", "\"a\x1fb\"", `-0`, `-`, `1.`, `1e+`, `1e5`,
		`00`, `[1,]`, `{"a":1,}`, `{,}`, `[}`, `tru`, `nulll`, "\xef\xbb\xbf{}", `{"a" 1}`, `{1:2}`, `"12345678\"`, strings.Repeat("[", 70) + strings.Repeat("]", 70),
	} {
		f.Add([]byte(text))
	}
	const maxDepth = 64
	f.Fuzz(func(t *testing.T, text []byte) {
		members, isCompact, err := jsonscan.AppendMembers(nil, text, maxDepth)
		want, wantErr := read(text)
		if errors.Is(err, jsonscan.ErrTooDeep) {
			if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) <= maxDepth {
				t.Fatalf("%q is not deep", text)
			}
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, jsontext says %v", text, err, wantErr)
		}
		if compact := jsontext.Value(bytes.Clone(text)); err == nil && compact.Compact(jsontext.AllowDuplicateNames(true)) == nil && isCompact != bytes.Equal(compact, text) {
			t.Fatalf("%q: compact %v, jsontext says %v", text, isCompact, !isCompact)
		}
		if len(members) != len(want) {
			t.Fatalf("%q has %d members, want %d", text, len(members), len(want))
		}
		for i := range want {
			if !bytes.Equal(members[i].Name, want[i].Name) || !bytes.Equal(members[i].Value, want[i].Value) {
				t.Fatalf("%q: member %d is %q: %q, want %q: %q", text, i, members[i].Name, members[i].Value, want[i].Name, want[i].Value)
			}
		}
	})
}

// read does the same with jsontext.
func read(text []byte) ([]jsonscan.Member, error) {
	if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, errors.New("invalid")
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	kind := dec.PeekKind()
	if kind != '{' && kind != '[' {
		return nil, nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var members []jsonscan.Member
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		var m jsonscan.Member
		if kind == '{' {
			name, err := dec.ReadValue()
			if err != nil {
				return nil, err
			}
			m.Name = bytes.Clone(name[1 : len(name)-1])
		}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m.Value = bytes.Clone(value)
		members = append(members, m)
	}
	return members, nil
}

// BenchmarkAppendMembers reads each of the sample events. An operation is one event.
func BenchmarkAppendMembers(b *testing.B) {
	lines := samples(b)
	var members []jsonscan.Member
	b.ReportAllocs()
	n, size := 0, 0
	for b.Loop() {
		line := lines[n%len(lines)]
		var err error
		if members, _, err = jsonscan.AppendMembers(members[:0], line, 64); err != nil {
			b.Fatal(err)
		}
		n++
		size += len(line)
	}
	b.SetBytes(int64(size / n))
}

func samples(t testing.TB) [][]byte {
	t.Helper()
	file, err := os.Open("../testdata/track-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all [][]byte
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		all = append(all, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
