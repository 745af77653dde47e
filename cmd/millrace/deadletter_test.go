package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// deadLettersServer answers as the API does and keeps what was posted.
func deadLettersServer(t *testing.T) (url string, posted *[]string) {
	t.Helper()
	const letter = `"run_id":"r-1","event_id":"e-1","environment":"production","source_id":"src_1","workflow":"welcome","trigger_id":"trg_1",
		"state":"open","error":"400 Bad Request","status_code":400,"attempt":1,"first_attempted_at":"2026-11-20T08:30:00Z","last_attempted_at":"2026-11-20T08:30:00Z"`
	posted = new([]string)
	mux := http.NewServeMux()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	mux.HandleFunc("GET /api/v1/dead-letters", answer(`{"items":[{`+letter+`}],"next_cursor":"c"}`))
	mux.HandleFunc("GET /api/v1/dead-letters/r-1", answer(`{`+letter+`,"response":"{\"code\":\"no_such_recipient\"}","request":{"recipients":["ada"]},
		"attempts":[{"run_id":"r-1","attempt":1,"outcome":"dead","attempted_at":"2026-11-20T08:30:00Z","latency_ms":12.34,"status_code":400,"error":"400 Bad Request"}]}`))
	mux.HandleFunc("POST /api/v1/dead-letters/resend", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*posted = append(*posted, string(body))
		var in struct{ Environment, Cursor string }
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		next := "null"
		if in.Environment != "" && in.Cursor == "" {
			next = `"c"`
		}
		_, _ = io.WriteString(w, `{"resent":2,"delivered":["r-8"],"not_found":["r-9"],"next_cursor":`+next+`}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, posted
}

func TestDeadLettersAreShownOnTheCommandLine(t *testing.T) {
	c := &cli{t: t}
	c.url, _ = deadLettersServer(t)
	c.shows([]string{"RUN", "r-1  production   welcome   open   400     2026-11-20T08:30:00Z  400 Bad Request"}, "dead-letter", "list", "-e", "production", "--status-code=400")
	if _, errs := c.run(0, "dead-letter", "list"); errs == "" {
		t.Error("nothing says that there are more")
	}
	c.shows([]string{`"status_code": 400`}, "dead-letters", "list", "-o", "json")
	c.shows([]string{`answer       {"code":"no_such_recipient"}`, `request      {"recipients":["ada"]}`, "1        2026-11-20T08:30:00Z  dead     400     12.3  400 Bad Request"}, "dead", "get", "r-1")
	c.shows([]string{"workflow: welcome\n"}, "dead-letter", "get", "r-1", "-o", "yaml")
}

func TestSeveralRunsAreSentAgainOnlyAfterAQuestion(t *testing.T) {
	c := &cli{t: t}
	url, posted := deadLettersServer(t)
	c.url = url
	sent := func(want ...string) {
		t.Helper()
		if len(*posted) != len(want) {
			t.Fatalf("posted %q, want %q", *posted, want)
		}
		for i := range want {
			if (*posted)[i] != want[i] {
				t.Errorf("posted %s, want %s", (*posted)[i], want[i])
			}
		}
		*posted = nil
	}
	c.fails([]string{"--yes"}, "dead-letter", "resend", "r-1", "r-2")
	c.fails([]string{"--yes"}, "dead-letter", "resend", "-e", "production")
	c.fails([]string{"say which runs"}, "dead-letter", "resend", "--workflow=welcome", "-y")
	c.fails([]string{"either"}, "dead-letter", "resend", "r-1", "-e", "production")
	sent()
	c.shows([]string{"2 sent again.", "r-8  was delivered", "r-9  has no dead letter"}, "dead-letter", "resend", "r-1")
	sent(`{"run_ids":["r-1"]}`)
	c.shows([]string{"4 sent again."}, "dead-letter", "resend", "-e", "production", "--workflow=welcome", "--status-code=0", "--yes")
	sent(`{"environment":"production","workflow":"welcome","status_code":0}`, `{"environment":"production","workflow":"welcome","status_code":0,"cursor":"c"}`)
	c.stdin, c.isTTY = "yes\n", true
	c.shows([]string{`"resent": 2`}, "dead-letter", "resend", "r-1", "r-2", "-o", "json")
	sent(`{"run_ids":["r-1","r-2"]}`)
}
