package ingest_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/schemas"
)

// rotate rotates the key of the production endpoint and returns the new URL.
func (w *world) rotate(grace time.Duration) string {
	w.t.Helper()
	err := w.writer.Change(w.t.Context(), func(tx *catalog.Tx) (err error) {
		w.source, err = tx.RotateKey(w.source.ID, "production", grace)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.endpoint("production", nil)
}

func TestRotatedKeyIsTakenUntilItsGraceEnds(t *testing.T) {
	w := newWorld(t, nil)
	first := w.endpoint("production", nil)
	second := w.rotate(10 * time.Minute)
	third := w.rotate(40 * time.Minute)
	f := func(at time.Duration, url string, want int) {
		t.Helper()
		w.ahead.Store(int64(at))
		if got := w.post(url, good); got.status != want || want == 404 && got.code != "unknown_endpoint" {
			t.Errorf("after %s: %d %s, want %d", at, got.status, got.body, want)
		}
	}
	f(0, first, 204)
	f(0, second, 204)
	f(9*time.Minute, first, 204)
	f(11*time.Minute, first, 404)
	f(11*time.Minute, second, 204)
	f(45*time.Minute, second, 404)
	f(45*time.Minute, third, 204) // a broker takes no event from further ahead than an hour
	w.ahead.Store(0)
	fourth := w.rotate(0)
	f(0, first, 404)
	f(0, third, 404)
	f(0, fourth, 204)
}

func TestEventsOfADisabledSourceAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	for _, want := range []struct {
		isDisabled bool
		status     int
	}{{true, 404}, {false, 204}} {
		_, err := w.writer.UpdateSource(t.Context(), w.source.ID, func(s *schemas.Source) error {
			s.Disabled = want.isDisabled
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, environment := range []string{"development", "production"} {
			if got := w.post(w.endpoint(environment, nil), good); got.status != want.status {
				t.Errorf("disabled %t, %s: %d %s", want.isDisabled, environment, got.status, got.body)
			}
		}
	}
}

func TestEndpointTakesNoLargerEventsThanItIsSetTo(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.MaxEventBytes = 2000 })
	event := func(size int) string {
		return `{"type":"track","event":"A","x":"` + strings.Repeat("x", size-len(`{"type":"track","event":"A","x":""}`)) + `"}`
	}
	f := func(limit, size, want, named int) {
		t.Helper()
		url := w.endpoint("production", func(e *schemas.Endpoint) { e.MaxBytes = limit })
		got := w.post(url, event(size))
		if got.status != want || want == 413 && (got.code != "event_too_large" || !strings.Contains(got.text, fmt.Sprint(named))) {
			t.Errorf("limit %d, %d bytes: %d %s", limit, size, got.status, got.body)
		}
	}
	f(100, 100, 204, 0)
	f(100, 101, 413, 100)
	f(100, 9000, 413, 100) // refused by its announced length
	f(0, 2000, 204, 0)
	f(0, 2001, 413, 2000)
	f(5000, 2001, 413, 2000) // no more than the setting
}

// TestNoKeyOrBodyIsInTheProcessLog logs everything there is to log, also about requests that are none.
func TestNoKeyOrBodyIsInTheProcessLog(t *testing.T) {
	w := newWorld(t, nil)
	first := w.endpoint("production", nil)
	second := w.rotate(time.Hour)
	for _, url := range []string{first, second} {
		w.post(url, `{"type":"track","event":"canary-in-a-body`)
		w.post(url, good)
		w.post(url, good, "Content-Type", "canary/in-a-header")
		w.post(url+"/more?canary", good)
		w.raw("POST " + strings.TrimPrefix(url, w.url) + " canary\r\nContent-Length: x\r\nnocolon\r\n\r\n")
		w.raw("POST " + strings.TrimPrefix(url, w.url) + " HTTP/1.1\r\nX-Canary: canary" + strings.Repeat("y", 20<<10) + "\r\n\r\n")
		w.raw(strings.TrimPrefix(url, w.url) + "\r\n\r\n")
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	log := w.logged.String()
	if !strings.Contains(log, "kafka:") {
		t.Error("the Kafka client logs nothing, so this proves little")
	}
	for _, secret := range []string{"canary", first[len(w.url+"/v1/receive/"):], second[len(w.url+"/v1/receive/"):]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log gives something away: %s", log)
		}
	}
}

// raw sends bytes that need not be HTTP and waits for the answer's first bytes, or the end.
func (w *world) raw(request string) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	// A server that has heard enough may answer, or hang up, before it has read all.
	_, _ = conn.Write([]byte(request))
	_, _ = conn.Read(make([]byte, 1))
}
