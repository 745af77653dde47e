package dispatcher

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMapOfFinishedOffsetsSurvivesTheCommitAsFarAsItFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := rapid.Int64Range(0, 1<<40).Draw(t, "next")
		var want doneMap
		at := next
		for range rapid.IntRange(0, 3000).Draw(t, "ranges") {
			from := at + rapid.Int64Range(1, 300).Draw(t, "gap")
			at = from + rapid.Int64Range(1, 300).Draw(t, "length")
			want = append(want, offsetRange{from, at})
		}
		text := want.encode(next)
		got, err := decodeDoneMap(text, next)
		if err != nil || len(text) > metadataBytes || len(got) > len(want) {
			t.Fatalf("%d bytes, %d of %d ranges, %v", len(text), len(got), len(want), err)
		}
		if len(want) < 500 && len(got) < len(want) {
			t.Fatalf("%d of %d ranges fit", len(got), len(want))
		}
		if len(got) > 0 && !reflect.DeepEqual(got, want[:len(got)]) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestMapThatIsNotOursOrDamagedIsNoMap(t *testing.T) {
	for _, text := range []string{"", "somebody else's", "done2:AAAA", "done1:"} {
		if got, err := decodeDoneMap(text, 5); got != nil || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"done1:!", "done1:AA", "done1:/w", "done1:AAA", "done1:" + strings.Repeat("/", 40)} {
		if got, err := decodeDoneMap(text, 5); err == nil {
			t.Errorf("%q: %v and no error", text, got)
		}
	}
}

func FuzzDoneMap(f *testing.F) {
	f.Add(doneMap{{7, 9}, {12, 13}}.encode(5))
	f.Add("done1:")
	f.Fuzz(func(t *testing.T, text string) {
		done, err := decodeDoneMap(text, 5)
		if err != nil {
			return
		}
		at := int64(5)
		for _, r := range done {
			if r.from < at || r.to <= r.from {
				t.Fatalf("%q: %v", text, done)
			}
			at = r.to
		}
	})
}
