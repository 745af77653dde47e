package mix_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/bench/load/mix"
	"github.com/millrace/millrace/schemas"
)

func newMix(t *testing.T, repeats float64) *mix.Mix {
	t.Helper()
	m, err := mix.Read(mix.Options{File: "../../../schemas/testdata/track-events.ndjson", Variants: 3, Repeats: repeats, Seed: uint64(time.Now().UnixNano())})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryEventOfTheMixIsTakenAndARepeatIsItsOriginByteForByte(t *testing.T) {
	m := newMix(t, 0.1)
	const rate, events = 500, 4000
	began := time.Now().Truncate(time.Microsecond)
	ids := map[string]bool{}
	for n := range events {
		text := m.Append(nil, n, began, rate)
		track, err := schemas.ParseTrack(text)
		if err != nil {
			t.Fatalf("event %d: %v\n%s", n, err, text)
		}
		origin := m.Origin(n, rate)
		if (origin != n) != ids[track.MessageID] {
			t.Fatalf("event %d, whose origin is %d, has the message ID %s", n, origin, track.MessageID)
		}
		ids[track.MessageID] = true
		if first := m.Append(nil, origin, began, rate); !bytes.Equal(first, text) {
			t.Fatalf("event %d is not what its origin %d is:\n%s\n%s", n, origin, text, first)
		}
		if gap := n - origin; gap != 0 && gap < rate/10 {
			t.Fatalf("event %d repeats one that was due only %d before", n, gap)
		}
	}
	if share := 1 - float64(len(ids))/events; math.Abs(share-0.1) > 0.03 {
		t.Errorf("%d message IDs were written, %.3f are repeats", len(ids), share)
	}
}

func TestVariantsDifferInDigitsAlone(t *testing.T) {
	m := newMix(t, 0)
	bodies, _ := m.Bodies()
	templates := bodies / 3
	began := time.Now()
	withoutID := func(n int) []byte {
		text := m.Append(nil, n, began, 1)
		before, after, found := bytes.Cut(text, []byte(mix.MessagePrefix))
		if !found {
			t.Fatalf("event %d has no message ID: %s", n, text)
		}
		return slices.Concat(before, after[bytes.IndexByte(after, '"'):])
	}
	same := func(text []byte) []byte {
		return bytes.Map(func(r rune) rune {
			if '1' <= r && r <= '9' {
				return '1'
			}
			return r
		}, text)
	}
	differing := 0
	for i := range templates {
		first, second := withoutID(i), withoutID(i+templates)
		if !bytes.Equal(same(first), same(second)) {
			t.Fatalf("not the same but for digits:\n%s\n%s", first, second)
		}
		if !bytes.Equal(first, second) {
			differing++
		}
	}
	if differing < templates*9/10 {
		t.Errorf("only %d of %d differ", differing, templates)
	}
}

func TestATemplateThatCannotBeUsedIsNamedByItsLine(t *testing.T) {
	good := `{"type":"track","event":"Seen","userId":"u","messageId":"m-1"}`
	for _, lines := range []struct{ text, says string }{
		{"", "has no events"},
		{"\n\n", "has no events"},
		{good + "\n\n{]\n", "line 3"},
		{good + "\n" + `{"type":"track","event":"Seen","userId":"u"}`, "line 2"},
	} {
		file := filepath.Join(t.TempDir(), "events.ndjson")
		if err := os.WriteFile(file, []byte(lines.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := mix.Read(mix.Options{File: file, Variants: 1})
		if err == nil || !strings.Contains(err.Error(), lines.says) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", lines.text, err)
		}
	}
}

func TestOnlyTheMessageIDIsReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.ndjson")
	text := `{"properties":{"id":"track"},"type":"track","event":"track","userId":"track","messageId":"track"}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := mix.Read(mix.Options{File: file, Variants: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Append(nil, 0, time.Now(), 1)
	track, err := schemas.ParseTrack(got)
	if err != nil || !strings.HasPrefix(track.MessageID, mix.MessagePrefix) {
		t.Fatalf("%+v, %v", track, err)
	}
	if again := bytes.Replace(got, []byte(track.MessageID), []byte("track"), 1); string(again) != text {
		t.Errorf("%s became %s", text, got)
	}
}
