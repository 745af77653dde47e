package ingest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/schemas"
)

// largeEvent is an event of about as many bytes as ingest takes, all of one letter.
func largeEvent(letter string) string {
	return strings.Replace(good, `{`, `{"padding":"`+strings.Repeat(letter, 400_000)+`",`, 1)
}

func TestLargeBodiesShareARoomAndGiveItBack(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.ReadTimeout = 2 * time.Second })
	endpoint := w.endpoint("production", nil)
	chunked := strings.Replace(w.head(endpoint, 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + "\r\n10\r\n0123456789abcdef\r\n"
	takeAll := func() {
		for range 64 { // which is all the room, until the time to read them is over
			w.dial(chunked)
		}
	}
	takeAll()
	for deadline := time.Now().Add(patience); w.post(endpoint, largeEvent("x")).status != http.StatusServiceUnavailable; takeAll() {
		if time.Now().After(deadline) {
			t.Fatal("there is room for ever")
		}
	}
	if got := w.post(endpoint, good); got.status != http.StatusNoContent {
		t.Fatalf("a small event beside large ones: %d %s", got.status, got.body)
	}
	for deadline := time.Now().Add(patience); w.post(endpoint, largeEvent("x")).status != http.StatusNoContent; {
		if time.Now().After(deadline) {
			t.Fatal("there is no room again")
		}
	}
}

func TestLargeBodiesAreStoredAsTheyCameOnOneConnection(t *testing.T) {
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", nil)
	sent := map[string]int{}
	for _, body := range []string{largeEvent("a"), good, largeEvent("b"), good, largeEvent("c")} {
		if got := w.post(endpoint, body); got.status != http.StatusNoContent {
			t.Fatalf("%d %s", got.status, got.body)
		}
		sent[body]++
	}
	for _, record := range w.read(schemas.EventsTopic, 5) {
		sent[string(record.Value)]--
	}
	for body, left := range sent {
		if left != 0 {
			t.Errorf("%.60s...: %d are missing", body, left)
		}
	}
}
