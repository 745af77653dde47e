package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/bench/load/openloop"
	"github.com/millrace/millrace/schemas"
)

const samples = "../../schemas/testdata/track-events.ndjson"

// endpoint answers 204, or another status to every tenth event, and keeps the message IDs.
func endpoint(t *testing.T, tenth int) (url string, ids func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	seen, count := map[string]int{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		track, err := schemas.ParseTrack(body)
		if err != nil || r.URL.Path != "/v1/receive/key" {
			t.Errorf("%s: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[track.MessageID]++
		if count++; count%10 == 0 {
			w.WriteHeader(tenth)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1/receive/key", func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

func TestTheShareThatWasAskedForRepeatsAndTheRestDoesNot(t *testing.T) {
	url, ids := endpoint(t, http.StatusNoContent)
	s, err := parse([]string{"-endpoint=" + url, "-rate=2000", "-for=1s", "-duplicates=0.5", "-connections=8", "-events=" + samples}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(s); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, times := range ids() {
		total += times
	}
	// The first events have none before them that they could repeat, so that fewer than half do.
	if distinct := len(ids()); total != 2000 || distinct < 1000 || distinct > 1900 {
		t.Errorf("%d events with %d message IDs", total, distinct)
	}
}

func TestRefusedEventsFailTheCommandAndTheHistogramIsWritten(t *testing.T) {
	url, _ := endpoint(t, http.StatusServiceUnavailable)
	for _, rate := range []string{"0", "1000"} {
		file := filepath.Join(t.TempDir(), "times.hgrm")
		s, err := parse([]string{"-endpoint=" + url, "-rate=" + rate, "-for=200ms", "-connections=2", "-events=" + samples, "-histogram=" + file}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(s); err == nil || !strings.Contains(err.Error(), "were not taken") {
			t.Errorf("rate %s: %v", rate, err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		last := ""
		for _, line := range lines[1:] {
			if fields := strings.Fields(line); len(fields) >= 3 && !strings.HasPrefix(line, "#") {
				last = fields[1]
			}
		}
		if share, err := strconv.ParseFloat(last, 64); err != nil || share != 1 || !strings.Contains(lines[0], "Percentile") {
			t.Errorf("the distribution ends at %q: %v\n%s", last, err, text)
		}
	}
}

func TestTheReportSaysFromWhenTimesCount(t *testing.T) {
	paced := openloop.Paced{Answers: map[int]int{204: 9, 0: 1}, Latency: openloop.NewHistogram(), Began: time.Now()}
	paced.Last = paced.Began.Add(2 * time.Second)
	for i := range 10 {
		openloop.Record(paced.Latency, time.Duration(i+1)*time.Millisecond)
	}
	for rate, says := range map[float64]string{0: "when an event was sent", 5: "when an event was due"} {
		var out bytes.Buffer
		printReport(&out, settings{rate: rate}, paced)
		for _, part := range []string{"10 events in 2.0 s, 5.0 a second", "204 No Content", "0 no answer", says, "p99.9", "max"} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%q is not in\n%s", part, out.String())
			}
		}
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	const good = "-endpoint=http://127.0.0.1:1/x"
	for _, wrong := range []struct {
		arguments []string
		says      string
	}{
		{nil, "-endpoint"},
		{[]string{"-endpoint=127.0.0.1:8080/v1"}, "-endpoint"},
		{[]string{"-endpoint=https://127.0.0.1/v1"}, "TLS"},
		{[]string{good, "-rate=-1"}, "-rate"},
		{[]string{good, "-for=0s"}, "-for"},
		{[]string{good, "-rate=0.1", "-for=1s"}, "-for"},
		{[]string{good, "-warm-up=-1s"}, "-warm-up"},
		{[]string{good, "-connections=0"}, "-connections"},
		{[]string{good, "-duplicates=1"}, "-duplicates"},
		{[]string{good, "-variants=0"}, "-variants"},
		{[]string{good, "stray"}, "stray"},
		{[]string{good, "-nothing"}, "nothing"},
	} {
		if _, err := parse(wrong.arguments, io.Discard); err == nil || !strings.Contains(err.Error(), wrong.says) {
			t.Errorf("%v: %v", wrong.arguments, err)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "open loop") {
		t.Errorf("%v: %s", err, help.String())
	}
}

func TestAnEndpointWhereNobodyListensIsToldBeforeAnythingIsPosted(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s, err := parse([]string{"-endpoint=" + server.URL + "/x", "-for=1s", "-events=" + samples}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(s); err == nil || !strings.Contains(err.Error(), "reaching the endpoint") {
		t.Error(err)
	}
}
