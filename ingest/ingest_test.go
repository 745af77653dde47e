package ingest_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/schemas"
)

const good = `{"type":"track","event":"Signed Up","userId":"u1","messageId":"m1"}`

func TestAcceptedEventIsInKafkaByteForByte(t *testing.T) {
	w := newWorld(t, nil)
	body := " {\"type\":\"track\", \"event\":\"Ordered \\u00e4\",\"messageId\":\"m1\",\"properties\":{\"n\":1.10,\"n\":1e3}}\n"
	before := time.Now().Add(-time.Millisecond)
	if got := w.post(w.endpoint("production", nil), body, "Content-Type", "application/json; charset=utf-8"); got.status != 204 || got.body != "" {
		t.Fatalf("answered %+v", got)
	}
	record := w.read(schemas.EventsTopic, 1)[0]
	if string(record.Value) != body {
		t.Errorf("stored %q, posted %q", record.Value, body)
	}
	meta, err := schemas.ReadEventMeta(record.Headers)
	if err != nil {
		t.Fatal(err)
	}
	if meta.SourceID != w.source.ID || meta.Environment != "production" || meta.Event != "Ordered ä" || meta.MessageID != "m1" {
		t.Errorf("headers %+v", meta)
	}
	if !meta.ReceivedAt.Equal(record.Timestamp) || meta.ReceivedAt.Before(before) || meta.ReceivedAt.After(time.Now()) {
		t.Errorf("received at %s, record time %s", meta.ReceivedAt, record.Timestamp)
	}
	if key := schemas.DedupKey("production", w.source.ID, "Ordered ä", "m1"); !bytes.Equal(record.Key, key[:]) {
		t.Errorf("key %s", hex.EncodeToString(record.Key))
	}
}

func TestSampleEventsAtTheSameTimeAreAllStored(t *testing.T) {
	w := newWorld(t, nil)
	file, err := os.ReadFile("../schemas/testdata/track-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	var posting sync.WaitGroup
	slots := make(chan struct{}, 32)
	endpoint := w.endpoint("development", nil)
	for line := range bytes.Lines(file) {
		want[string(line)] = true
		slots <- struct{}{}
		posting.Go(func() {
			defer func() { <-slots }()
			if got := w.post(endpoint, string(line)); got.status != 204 {
				t.Errorf("answered %+v", got)
			}
		})
	}
	posting.Wait()
	for _, record := range w.read(schemas.EventsTopic, len(want)) {
		if !want[string(record.Value)] {
			t.Errorf("stored what nobody posted, or twice: %s", record.Value)
		}
		delete(want, string(record.Value))
	}
}

func TestUnusableMessageIDIsNoDedupKey(t *testing.T) {
	w := newWorld(t, nil)
	for _, id := range []string{"", strings.Repeat("m", 256)} {
		if got := w.post(w.endpoint("production", nil), `{"type":"track","event":"A","messageId":"`+id+`"}`); got.status != 204 {
			t.Fatalf("answered %+v", got)
		}
	}
	keys := map[string]bool{}
	for _, record := range w.read(schemas.EventsTopic, 2) {
		meta, err := schemas.ReadEventMeta(record.Headers)
		if err != nil || meta.MessageID != "" {
			t.Errorf("%+v, %v", meta, err)
		}
		keys[string(record.Key)] = true
	}
	if len(keys) != 2 {
		t.Error("two events without a usable message ID have the same key")
	}
}

func TestRefusalsNameCodeAndField(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.MaxEventBytes = 1000 })
	open := w.endpoint("production", nil)
	disabled := w.endpoint("development", func(e *schemas.Endpoint) { e.Disabled = true })
	f := func(got answer, status int, code, field string) {
		t.Helper()
		if got.status != status || got.code != code || got.field != field || got.text == "" {
			t.Errorf("answered %d %s, want %d %s, field %q", got.status, got.body, status, code, field)
		}
		if retry := got.header.Get("Retry-After"); (retry != "") != (status == 503) {
			t.Errorf("Retry-After %q with %d", retry, status)
		}
	}
	f(w.post(open, `{`), 400, "invalid_json", "")
	f(w.post(open, `{"type":"track","event":"A","event":"B"}`), 400, "invalid_json", "event")
	f(w.post(open, `{"type":"track"}`), 422, "invalid_event", "event")
	f(w.post(open, `[`+good+`]`), 422, "batch_not_supported", "")
	f(w.post(open, `{"type":"page"}`), 422, "unsupported_type", "type")
	f(w.post(disabled, good), 404, "unknown_endpoint", "")
	f(w.post(w.url+"/v1/receive/nobody", good), 404, "unknown_endpoint", "")
	f(w.post(w.url+"/v1/elsewhere", good), 404, "not_found", "")
	f(w.post(open, good, "Content-Type", "text/json"), 415, "unsupported_media_type", "")
	f(w.post(open, good, "Content-Encoding", "gzip"), 415, "unsupported_media_type", "")
	f(w.post(open, `{"type":"track","event":"A","x":"`+strings.Repeat("x", 1000)+`"}`), 413, "event_too_large", "")
	f(w.post(open, `{"type":"track","event":"A","x":"`+strings.Repeat("x", 5000)+`"}`), 413, "event_too_large", "")
	chunked := io.MultiReader(strings.NewReader(`{"type":"track","event":"A","x":"`), strings.NewReader(strings.Repeat("x", 5000)))
	f(w.request(http.MethodPost, open, chunked), 413, "event_too_large", "")
	got := w.request(http.MethodGet, open, nil)
	f(got, 405, "method_not_allowed", "")
	if got.header.Get("Allow") != "POST" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
}

func TestRefusalsAreLoggedWithTheBeginningOfTheBody(t *testing.T) {
	w := newWorld(t, nil)
	body := `{"type":"track","event":"","x":"` + strings.Repeat("x", 5000) + `"}`
	w.post(w.endpoint("production", nil), body)
	w.post(w.url+"/v1/receive/nobody", good)
	found := map[string]schemas.Rejection{}
	for _, record := range w.read(schemas.RejectionsTopic, 2) {
		rejection, err := schemas.Decode[schemas.Rejection](record.Value)
		if err != nil {
			t.Fatal(err)
		}
		found[rejection.Code] = rejection
	}
	refused := found["invalid_event"]
	if refused.SourceID != w.source.ID || refused.Environment != "production" || refused.StatusCode != http.StatusUnprocessableEntity || refused.Field != "event" ||
		string(refused.Body) != body[:schemas.RejectionBodyLimit] || refused.RejectedAt.IsZero() {
		t.Errorf("logged %+v", refused)
	}
	if unknown := found["unknown_endpoint"]; unknown.SourceID != "" || string(unknown.Body) != good {
		t.Errorf("logged %+v", unknown)
	}
}

func TestFloodOfGarbageCannotFillTheLog(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.RejectionsPerSecond = 1 })
	endpoint := w.endpoint("production", nil)
	for range 100 {
		w.post(endpoint, `{`)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if records := w.read(schemas.RejectionsTopic, 2); len(records) > 20 {
		t.Errorf("%d of 100 refusals were logged", len(records))
	}
	if !strings.Contains(w.logged.String(), "refused requests came faster") {
		t.Errorf("the process says nothing about what it did not log: %s", w.logged)
	}
}

func TestRequestsInHandAreAnsweredAtShutdown(t *testing.T) {
	w := newFaultyWorld(t, nil)
	endpoint := w.endpoint("production", nil)
	held, resume := w.stall()
	answered := make(chan answer, 1)
	go func() { answered <- w.post(endpoint, good) }()
	<-held
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	for deadline := time.Now().Add(patience); w.role.Readiness(t.Context()).Ready; {
		if time.Now().After(deadline) {
			t.Fatal("it is ready, and listens no more")
		}
	}
	resume()
	if got := <-answered; got.status != 204 {
		t.Fatalf("answered %+v", got)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(w.url, "http://"), time.Second); err == nil {
		t.Error("it still listens")
	}
}

func TestSettingsThatCannotWorkAreListedTogether(t *testing.T) {
	if err := settings().Validate(); err != nil {
		t.Error(err)
	}
	err := ingest.Config{MaxEventBytes: 2 << 20, Linger: -1, RejectionsPerSecond: -1}.Validate()
	for _, want := range []string{"max event bytes", "ack timeout", "in flight", "buffer", "linger", "rejections"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %s in: %v", want, err)
		}
	}
}
