package schemas_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

// clientHeader stands for a Kafka client's header type.
type clientHeader struct {
	Key   string
	Value []byte
}

func meta() schemas.EventMeta {
	return schemas.EventMeta{
		EventID: "0195b0a2-7c00-7000-8000-000000000000", SourceID: "src_1", Environment: "production", Event: "Order Completed",
		MessageID: "m1", ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
	}
}

func TestHeadersOfAnEventAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 20, 255)
		want := schemas.EventMeta{
			EventID: text.Draw(t, "id"), SourceID: text.Draw(t, "source"), Environment: text.Draw(t, "environment"), Event: text.Draw(t, "event"),
			MessageID: rapid.String().Draw(t, "message ID"), ReceivedAt: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
		}
		headers := append(schemas.EventHeaders[clientHeader](want), clientHeader{"other", []byte("x")})
		if got, err := schemas.ReadEventMeta(headers); err != nil || got != want {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
		}
		if at := want.ReceivedAt.Format("2006-01-02T15:04:05.000Z"); string(headers[5].Value) != at {
			t.Fatalf("%s: got %q, want %q", headers[5].Key, headers[5].Value, at)
		}
	})
}

func TestRecordWithoutTheHeadersOfAnEventIsNone(t *testing.T) {
	headers := schemas.EventHeaders[clientHeader](meta())
	for i, missing := range headers {
		if missing.Key == "message_id" {
			continue
		}
		rest := append(append([]clientHeader{}, headers[:i]...), headers[i+1:]...)
		if _, err := schemas.ReadEventMeta(rest); !errors.Is(err, schemas.ErrNotAnEvent) {
			t.Errorf("without %s: %v", missing.Key, err)
		}
	}
	if _, err := schemas.ReadEventMeta([]clientHeader{{"received_at", []byte("noon")}}); !errors.Is(err, schemas.ErrNotAnEvent) {
		t.Errorf("a bad time: %v", err)
	}
}

// The bytes below are the contract between versions: a change of one of them separates a message ID from its past.
// TestBothWaysToReadHeadersAgree draws headers that are missing, empty, repeated, foreign or malformed.
func TestBothWaysToReadHeadersAgree(t *testing.T) {
	names := []string{"event_id", "source", "environment", "event", "message_id", "received_at", "other", "schema"}
	values := []string{"", "1", "2", "-1", "x", "2026-11-20T08:00:00.123Z", "2026-11-20T08:00:00.123+01:00", "noon", "0001-01-01T00:00:00.000Z"}
	rapid.Check(t, func(t *rapid.T) {
		var headers []clientHeader
		for _, name := range names[:rapid.IntRange(0, 7).Draw(t, "given")] {
			value := "2026-11-20T08:00:00.123Z"
			if rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
				value = rapid.SampledFrom(values).Draw(t, "value")
			}
			headers = append(headers, clientHeader{name, []byte(value)})
		}
		for range rapid.IntRange(0, 2).Draw(t, "repeated") {
			headers = append(headers, clientHeader{rapid.SampledFrom(names).Draw(t, "name"), []byte(rapid.SampledFrom(values).Draw(t, "value"))})
		}
		meta, wantErr := schemas.ReadEventMeta(headers)
		at, hasMessageID, err := schemas.ReadReceived(headers)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && (!at.Equal(meta.ReceivedAt) || hasMessageID != (meta.MessageID != "")) {
			t.Fatalf("%q: %s, %v, %v; want %+v, %v", headers, at, hasMessageID, err, meta, wantErr)
		}
	})
}

func TestKeysAndIDsAreStable(t *testing.T) {
	f := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %s, it was %s", name, got, want)
		}
	}
	key := meta().Key()
	f("dedup key", hex.EncodeToString(key[:]), "17e6d0525df118d25f3d83ed0bf269d1")
	f("run ID", schemas.RunID("trg_1", "evt_1", 0).String(), "7898c37d-2a8d-8661-84a1-c70e13f67bf9")
}

func TestKeysDifferWhereAnyPartDiffers(t *testing.T) {
	keys := map[schemas.Key]bool{}
	for _, key := range []schemas.Key{
		schemas.DedupKey("a", "b", "c", "d"), schemas.DedupKey("a", "b", "cd", ""), schemas.DedupKey("ab", "", "c", "d"),
		schemas.DedupKey("a", "b", "c", "e"), schemas.EventKey("abcd"),
	} {
		keys[key] = true
	}
	if len(keys) != 5 {
		t.Errorf("%d different keys, want 5", len(keys))
	}
	if schemas.RunID("t", "e", 0) == schemas.RunID("t", "e", 1) {
		t.Error("a new generation has the old run's ID")
	}
}

func TestEventIDCarriesTheTimeOfReceipt(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	id, err := schemas.NewEventID(at)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := schemas.EventTime(id); !ok || !got.Equal(at) || id.Version() != 7 {
		t.Errorf("%s carries %v", id, got)
	}
	if _, ok := schemas.EventTime(schemas.RunID("t", "e", 0)); ok {
		t.Error("a run ID carries no time")
	}
}

func TestRequestBodyOfARunIsReadByteForByte(t *testing.T) {
	body := `{"recipients":["a<b>&"],"data":{"n":1.10,"big":12345678901234567890}}`
	value, err := schemas.Encode(schemas.Run{Schema: schemas.Version, RunID: "r", Request: json.RawMessage(body)})
	if err != nil {
		t.Fatal(err)
	}
	run, err := schemas.Decode[schemas.Run](value)
	if err != nil || string(run.Request) != body {
		t.Errorf("got %s, %v", run.Request, err)
	}
}

func BenchmarkEventHeaders(b *testing.B) {
	m := meta()
	b.ReportAllocs()
	for b.Loop() {
		if len(schemas.EventHeaders[clientHeader](m)) == 0 {
			b.Fatal("no headers")
		}
	}
}
