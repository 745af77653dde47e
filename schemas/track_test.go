package schemas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestEverySampleEventIsAccepted(t *testing.T) {
	file, err := os.ReadFile("testdata/track-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		track, err := schemas.ParseTrack(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if track.Event == "" || track.MessageID == "" || track.Timestamp.IsZero() || track.UserID+track.AnonymousID == "" {
			t.Fatalf("%s: read as %+v", line, track)
		}
	}
}

func TestTrackIsRead(t *testing.T) {
	f := func(body string, want schemas.Track) {
		t.Helper()
		got, err := schemas.ParseTrack([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", body, got, err, want)
		}
	}
	f(`{"type":"track","event":"A"}`, schemas.Track{Event: "A"})
	f(" \n{\"event\":\"A\",\"type\":\"track\"} \n", schemas.Track{Event: "A"})
	f(`{"type":"track","event":"A","userId":null,"messageId":null,"timestamp":null,"properties":null,"anonymousId":7}`, schemas.Track{Event: "A"})
	f(`{"type":"track","event":"\u00c4 \ud83d\ude00","userId":"u","messageId":"m","anonymousId":"a"}`,
		schemas.Track{Event: "Ä 😀", UserID: "u", MessageID: "m", AnonymousID: "a"})
	f(`{"type":"track","event":"A","messageId":""}`, schemas.Track{Event: "A", IgnoredMessageID: true})
	f(`{"type":"track","event":"A","messageId":"`+strings.Repeat("m", 256)+`"}`, schemas.Track{Event: "A", IgnoredMessageID: true})
	f(`{"type":"track","event":"A","properties": {"a":1,"a":2} }`, schemas.Track{Event: "A", Properties: []byte(`{"a":1,"a":2}`)})
	f(`{"type":"track","event":"A","timestamp":"2026-01-02T03:04:05.678+01:00"}`,
		schemas.Track{Event: "A", Timestamp: time.Date(2026, 1, 2, 2, 4, 5, 678e6, time.UTC)})
	f(`{"type":"track","event":"A","deep":`+nested(63)+`}`, schemas.Track{Event: "A"})
}

func TestTimestampFormsOfISO8601(t *testing.T) {
	f := func(in string, want time.Time) {
		t.Helper()
		if got, err := schemas.ParseTimestamp(in); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
		}
	}
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	f("2026-01-02T12:00:00Z", noon)
	f("2026-01-02T12:00:00.000Z", noon)
	f("2026-01-02T14:00:00+0200", noon)
	f("2026-01-02T12:00:00", noon)
	f("2026-01-02T12:00Z", noon)
	f("2026-01-02", noon.Add(-12*time.Hour))
}

func TestTrackIsRefusedWithCodeAndField(t *testing.T) {
	f := func(body string, code schemas.ErrorCode, field string) {
		t.Helper()
		_, err := schemas.ParseTrack([]byte(body))
		var refusal *schemas.FieldError
		if !errors.As(err, &refusal) {
			t.Errorf("%.80s: accepted", body)
			return
		}
		if refusal.Code != code || refusal.Field != field || refusal.Message == "" {
			t.Errorf("%.80s: got %+v, want %s, field %q", body, *refusal, code, field)
		}
	}
	f(``, schemas.InvalidJSON, "")
	f(`{`, schemas.InvalidJSON, "")
	f(`{"type":"track","event":"A"}}`, schemas.InvalidJSON, "")
	f(`{"type":"track","event":"A"}{}`, schemas.InvalidJSON, "")
	f(`{"type":"track","event":"A","event":"B"}`, schemas.InvalidJSON, "event")
	f(`{"type":"track","event":"A","\u0065vent":"B"}`, schemas.InvalidJSON, "event")
	f(`{"type":"track","event":"A","x":1,"x":1}`, schemas.InvalidJSON, "x")
	f("{\"type\":\"track\",\"event\":\"\xff\"}", schemas.InvalidJSON, "")
	f(`{"type":"track","event":"\ud800"}`, schemas.InvalidJSON, "")
	f(`{"type":"track","event":"A","deep":`+nested(64)+`}`, schemas.InvalidJSON, "")
	f(`{"type":7,"event":"A","deep":`+strings.Repeat("[", 5_000_000), schemas.InvalidJSON, "")

	f(`[{"type":"track","event":"A"}]`, schemas.BatchNotSupported, "")
	f(`{"batch":[{"type":"track","event":"A"}]}`, schemas.BatchNotSupported, "batch")
	f(`{"type":"identify","userId":"u"}`, schemas.UnsupportedType, "type")
	f(`"track"`, schemas.InvalidEvent, "")
	f(`null`, schemas.InvalidEvent, "")
	f(`{}`, schemas.InvalidEvent, "type")
	f(`{"event":"A"}`, schemas.InvalidEvent, "type")
	f(`{"type":7,"event":"A"}`, schemas.InvalidEvent, "type")
	f(`{"type":"track"}`, schemas.InvalidEvent, "event")
	f(`{"type":"track","event":""}`, schemas.InvalidEvent, "event")
	f(`{"type":"track","event":null}`, schemas.InvalidEvent, "event")
	f(`{"type":"track","event":"`+strings.Repeat("e", 256)+`"}`, schemas.InvalidEvent, "event")
	f(`{"type":"track","event":"A","properties":[]}`, schemas.InvalidEvent, "properties")
	f(`{"type":"track","event":"A","userId":7}`, schemas.InvalidEvent, "userId")
	f(`{"type":"track","event":"A","messageId":7}`, schemas.InvalidEvent, "messageId")
	f(`{"type":"track","event":"A","timestamp":7}`, schemas.InvalidEvent, "timestamp")
	f(`{"type":"track","event":"A","timestamp":"yesterday"}`, schemas.InvalidEvent, "timestamp")
}

// nested returns arrays inside one another, depth levels deep.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func FuzzTrack(f *testing.F) {
	file, err := os.ReadFile("testdata/track-events.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for i, line := range bytes.Split(file, []byte("\n")) {
		if i%60 == 0 {
			f.Add(line)
		}
	}
	for _, body := range []string{
		``, `[]`, `null`, `{"batch":[]}`, `{"type":"track","event":"A","messageId":""}`, `{"type":"track","event":"\ud800"}`,
		`{"type":"track","event":"A","timestamp":"2026-01-02T03:04:05,5Z"}`, `{"type":"track","event":"A","Event":"B"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		track, err := schemas.ParseTrack(body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			requireFieldError(t, err)
			return
		}
		requireSameAsEncodingJSON(t, body, track)
	})
}

func requireFieldError(t *testing.T, err error) {
	var refusal *schemas.FieldError
	if !errors.As(err, &refusal) || refusal.Code == "" || refusal.Message == "" {
		t.Fatalf("an error without code or message: %#v", err)
	}
}

// requireSameAsEncodingJSON decodes into a map, because a struct would match member names in any letter case.
func requireSameAsEncodingJSON(t *testing.T, body []byte, track schemas.Track) {
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("accepted, but encoding/json says: %v", err)
	}
	text := func(name string) string {
		value, _ := members[name].(string)
		return value
	}
	messageID := text("messageId")
	if _, present := members["messageId"].(string); present && track.IgnoredMessageID {
		if len(messageID) > 0 && len(messageID) <= schemas.MaxNameBytes {
			t.Fatalf("message ID %q ignored", messageID)
		}
		messageID = ""
	}
	if text("type") != "track" || text("event") != track.Event || text("userId") != track.UserID || messageID != track.MessageID {
		t.Fatalf("read %+v, encoding/json %v", track, members)
	}
	if stamp, present := members["timestamp"].(string); present {
		if at, err := schemas.ParseTimestamp(stamp); err != nil || !at.Equal(track.Timestamp) {
			t.Fatalf("timestamp %q read as %v", stamp, track.Timestamp)
		}
	}
}

func BenchmarkParseTrack(b *testing.B) {
	file, err := os.ReadFile("testdata/track-events.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
	b.SetBytes(int64(len(file) / len(lines)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := schemas.ParseTrack(lines[i%len(lines)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodingJSONValid(b *testing.B) {
	file, err := os.ReadFile("testdata/track-events.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
	b.SetBytes(int64(len(file) / len(lines)))
	for i := 0; b.Loop(); i++ {
		if !json.Valid(lines[i%len(lines)]) {
			b.Fatal("not valid")
		}
	}
}
