package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDifferencesAreTheMembersThatChanged(t *testing.T) {
	f := func(before, after string, want ...difference) {
		t.Helper()
		got := differences(json.RawMessage(before), json.RawMessage(after))
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s:\n got %q\nwant %q", before, after, got, want)
		}
	}
	f(`{"name":"a","status":"active"}`, `{"status":"inactive","name":"a"}`, difference{"status", "active", "inactive"})
	// What every change sets is none; what is empty is not there.
	f(`{"id":"1","revision":1,"updated_at":"2026-01-01T00:00:00Z","created_at":"x"}`, `{"id":"2","revision":2,"updated_at":"y","created_at":"z"}`)
	f(`{"a":null,"b":"","c":[],"d":{}}`, `{}`)
	f(`{"disabled":true}`, `{}`, difference{"disabled", "true", ""})
	// Of what was created there is no before, of what was deleted no after.
	f(``, `{"name":"a","endpoints":{"production":{"max_bytes":7}}}`, difference{"endpoints.production.max_bytes", "", "7"}, difference{"name", "", "a"})
	f(`{"name":"a"}`, `null`, difference{"name", "a", ""})
	// A row of a mapping is one thing, whatever it is made of, and whatever its name is.
	f(`{"mapping":{"recipients":"user_id","data":{"total":"data.total","a.b":"event"}}}`,
		`{"mapping":{"recipients":{"expr":"[user_id]"},"data":{"total":{"expr":"data.total > 1 && true"},"new":{"value":{"x":null}}}}}`,
		difference{"mapping.data.a.b", "event", ""},
		difference{"mapping.data.new", "", `{"value":{"x":null}}`},
		difference{"mapping.data.total", "data.total", `{"expr":"data.total > 1 && true"}`},
		difference{"mapping.recipients", "user_id", `{"expr":"[user_id]"}`})
	// Lists are told whole, and equal ones however they are spaced. Numbers keep their digits.
	f(`{"events":["A", "B"],"n":1}`, `{"events":["A","B"],"n":12345678901234567890}`, difference{"n", "1", "12345678901234567890"})
	f(`{"events":["A"]}`, `{"events":["A","B"]}`, difference{"events", `["A"]`, `["A","B"]`})
}

func TestDifferencesAreBoundedAndSayWhereTextsDiffer(t *testing.T) {
	many := map[string]int{}
	for i := range maxDifferences + 3 {
		many[fmt.Sprintf("m%03d", i)] = i
	}
	encoded, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	got := differences(nil, encoded)
	if last := got[len(got)-1]; len(got) != maxDifferences+1 || last.After != "and 3 members more" {
		t.Errorf("%d, the last %q", len(got), last)
	}
	same := strings.Repeat("é", 5000)
	got = differences(json.RawMessage(`{"condition":"`+same+`1`+same+`"}`), json.RawMessage(`{"condition":"`+same+`2"}`))
	if len(got) != 1 || !strings.Contains(got[0].Before, "é1é") || !strings.HasSuffix(got[0].After, "é2") {
		t.Errorf("where they differ is not shown: %q", got)
	}
	for _, text := range []string{got[0].Before, got[0].After} {
		if len(text) > maxDifferenceText+2*len(ellipsis)+utf8.UTFMax || !utf8.ValidString(text) || !strings.HasPrefix(text, ellipsis) {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}

func TestDeepMembersAreToldWhole(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	got := differences(json.RawMessage(deep), nil)
	if len(got) != 1 || got[0].Field != strings.TrimSuffix(strings.Repeat("a.", maxDifferenceDepth), ".") {
		t.Errorf("%.200q", got)
	}
}
