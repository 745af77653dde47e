package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The kinds of an entry of a mapping, as the form calls them.
const (
	kindPath       = "path"
	kindExpression = "expression"
	kindLiteral    = "literal"
)

// mappingRow is an entry of a mapping as inputs of a form hold it.
type mappingRow struct {
	Key   string // of data; "" elsewhere
	Kind  string
	Value string
	Was   string // key and entry as they were, where the inputs cannot hold them so; "" where they can
}

// wasEntry is what Was has.
type wasEntry struct {
	Key   string          `json:"key"`
	Entry json.RawMessage `json:"entry"`
}

// rowOf writes an entry as a row.
func rowOf(key string, entry json.RawMessage) mappingRow {
	row := mappingRow{Key: flat(key)}
	row.Kind, row.Value = shownEntry(entry)
	if back, err := row.typed(); err != nil || row.Key != key || !sameJSON(back, entry) {
		row.Was = mustJSON(wasEntry{key, entry})
	}
	return row
}

func shownEntry(entry json.RawMessage) (kind, value string) {
	var path string
	if err := json.Unmarshal(entry, &path); err == nil {
		return kindPath, plain(path)
	}
	var computed struct {
		Expr  *string         `json:"expr"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(entry, &computed); err != nil || computed.Expr == nil {
		return kindLiteral, shownLiteral(computed.Value)
	}
	return kindExpression, plain(*computed.Expr)
}

// entry is what the row stands for: what it was, unless somebody has changed that.
func (r mappingRow) entry() (key string, entry json.RawMessage, err error) {
	if was, is := r.unchanged(); is {
		return was.Key, was.Entry, nil
	}
	entry, err = r.typed()
	return r.Key, entry, err
}

// unchanged returns what the row was, where the inputs could not hold that and nobody has changed them.
func (r mappingRow) unchanged() (was wasEntry, is bool) {
	if r.Was == "" || json.Unmarshal([]byte(r.Was), &was) != nil || len(was.Entry) == 0 {
		return was, false
	}
	shown := rowOf(was.Key, was.Entry)
	return was, shown.Key == r.Key && shown.Kind == r.Kind && shown.Value == r.Value
}

// typed is the entry that the inputs say.
func (r mappingRow) typed() (json.RawMessage, error) {
	switch r.Kind {
	case kindExpression:
		return json.Marshal(map[string]string{"expr": r.Value})
	case kindLiteral:
		literal, err := readLiteral(r.Value)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]json.RawMessage{"value": literal})
	}
	return json.Marshal(r.Value)
}

func (r mappingRow) isEmpty() bool { return r.Key == "" && r.Value == "" }

// IsLong tells whether the value needs more than one line.
func (r mappingRow) IsLong() bool { return strings.Contains(r.Value, "\n") }

// shownLiteral writes a literal as people type it: JSON, or the bare text of a string that cannot be taken for any.
func shownLiteral(literal json.RawMessage) string {
	var text string
	if err := json.Unmarshal(literal, &text); err == nil && text != "" && text == plain(text) && !looksLikeJSON(text) {
		return text
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, literal); err != nil {
		return ""
	}
	return compact.String()
}

// readLiteral reads what shownLiteral writes.
func readLiteral(text string) (json.RawMessage, error) {
	switch {
	case text == "":
		return nil, errors.New(`write a value: JSON, or a text as it is; "" is an empty one`)
	case jsontext.Value(text).IsValid(): // no member twice, which the API refuses
		return json.RawMessage(text), nil
	case looksLikeJSON(text):
		return nil, errors.New(`this begins like JSON, and is none: look for a missing quote, comma or bracket, or a member that is there twice`)
	}
	return json.Marshal(text)
}

// looksLikeJSON tells whether a text would be taken for JSON, be it right or wrong.
func looksLikeJSON(text string) bool {
	return strings.ContainsAny(text[:1], `{["`) || jsontext.Value(text).IsValid()
}

// flat is a text as an input of one line can hold it.
func flat(text string) string { return strings.ReplaceAll(plain(text), "\n", " ") }

// plain is a text as it comes back from an input of several lines.
func plain(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(text)
	return strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
}

// sameJSON tells whether two values are the same, their numbers digit by digit.
func sameJSON(a, b json.RawMessage) bool {
	var values [2]any
	for i, raw := range []json.RawMessage{a, b} {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&values[i]); err != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// readable indents JSON, with every character as it is that a page can show.
func readable(raw json.RawMessage) string {
	text := jsontext.Value(raw).Clone()
	if err := text.Format(jsontext.Multiline(true), jsontext.WithIndent("  ")); err != nil {
		return string(raw)
	}
	return string(text)
}

// mustJSON writes a value that can always be written.
func mustJSON(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(raw)
}
