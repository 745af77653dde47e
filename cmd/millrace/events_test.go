package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

// logServer answers as the API does about the event log, and keeps what was asked.
type logServer struct {
	url string

	mu    sync.Mutex // guards all below
	asked []string
	// events answers GET /events; nil breaks the connection off.
	events func(r *http.Request) any
}

func newLogServer(t *testing.T) *logServer {
	t.Helper()
	s := &logServer{}
	mux := http.NewServeMux()
	answer := func(pattern, text string) {
		mux.HandleFunc("GET /api/v1/"+pattern, func(w http.ResponseWriter, r *http.Request) {
			s.keep(r)
			_, _ = io.WriteString(w, text)
		})
	}
	answer("sources", `{"items":[{"id":"src_1","name":"shop"}],"next_cursor":null}`)
	answer("events/e-1", `{`+members("e-1", "processed")+`,"body":"{\"event\":\"Order \u007f\"}","notes":["the message ID is too long"],"timeline":[
		{"at":"2026-11-20T08:30:00Z","after_ms":0,"step":"received","outcome":"accepted"},
		{"at":"2026-11-20T08:30:00.012Z","after_ms":12,"step":"trigger","outcome":"matched","trigger_id":"trg_1","workflow":"welcome","run_id":"r-1"},
		{"at":"2026-11-20T08:30:00.04Z","after_ms":40.2,"step":"attempt","outcome":"retrying","run_id":"r-1","workflow":"welcome","attempt":1,"status_code":503,"latency_ms":7.25,"message":"no capacity"}]}`)
	answer("runs", `{"items":[{`+runMembers+`}],"next_cursor":"c"}`)
	answer("runs/r-1", `{`+runMembers+`,"attempts":[{"run_id":"r-1","attempt":1,"outcome":"dead","attempted_at":"2026-11-20T08:30:00Z","latency_ms":12.34,"status_code":400,"error":"400 Bad Request"}]}`)
	answer("rejections", `{"items":[{"id":"x-1","source_id":"","environment":"","rejected_at":"2026-11-20T08:30:00Z","status_code":404,"code":"unknown_endpoint","message":"no such endpoint","field":"","body":"{}"}],"next_cursor":null}`)
	answer("analytics/series", `{"interval":"hour","since":"2026-11-20T06:00:00Z","until":"2026-11-20T09:00:00Z","times":["2026-11-20T06:00:00Z","2026-11-20T07:00:00Z","2026-11-20T08:00:00Z"],
		"series":[{"value":"processed","other":false,"total":75,"counts":[5,60,10]}]}`)
	answer("analytics/top", `{"by":"event","since":"2026-11-20T06:00:00Z","until":"2026-11-20T09:00:00Z","total":100,"items":[{"value":"Order Completed","count":90}]}`)
	answer("analytics/dedup", `{"since":"2026-11-20T06:00:00Z","until":"2026-11-20T09:00:00Z","items":[{"at":"2026-11-20T06:00:00Z","events":75,"duplicates":15,"processed":60,"no_trigger":0,"failed":0,"matched":45,"dedup_rate":0.2,"match_rate":0.75}],
		"triggers":[{"trigger_id":"trg_1","workflow":"welcome","considered":60,"matched":45,"condition_false":14,"inactive":0,"mapping_error":1,"condition_error":0,"match_rate":0.75}]}`)
	answer("analytics/latency", `{"since":"2026-11-20T06:00:00Z","until":"2026-11-20T09:00:00Z","items":[{"workflow":"welcome","at":"2026-11-20T06:00:00Z","attempts":46,"delivered":45,"retrying":1,"dead":0,"call_ms":{"p50":1.5,"p90":2,"p95":3,"p99":4,"max":5},"delivered_ms":null}]}`)
	mux.HandleFunc("GET /api/v1/events", s.serveEvents)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

const runMembers = `"id":"r-1","workflow":"welcome","trigger_id":"trg_1","event_id":"e-1","environment":"production","source_id":"src_1",
	"recipients":[{"id":"ada"},"bob"],"actor":null,"tenant":"acme","cancellation_key":"","data":{"total":7},"status":"dead","received_at":"2026-11-20T08:30:00Z","created_at":"2026-11-20T08:30:01Z"`

// members are those of an event in a list; without a status it is undecided.
func members(id, status string) string {
	text := fmt.Sprintf(`"id":%q,"source_id":"src_1","environment":"production","event":"Order \u001b[31mCompleted","message_id":"m-1","user_id":"ada",
		"received_at":"2026-11-20T08:30:00Z","timestamp":"2026-11-20T08:30:00Z"`, id)
	if status != "" {
		text += fmt.Sprintf(`,"status":%q`, status)
	}
	return text
}

// events is a page of some; each is an ID and a status.
func events(next string, of ...string) json.RawMessage {
	var items []string
	for i := 0; i < len(of); i += 2 {
		items = append(items, `{`+members(of[i], of[i+1])+`}`)
	}
	return json.RawMessage(`{"items":[` + strings.Join(items, ",") + `],"next_cursor":` + next + `}`)
}

func (s *logServer) keep(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimPrefix(r.URL.Path, "/api/v1")+"?"+r.URL.Query().Encode())
}

func (s *logServer) serveEvents(w http.ResponseWriter, r *http.Request) {
	s.keep(r)
	s.mu.Lock()
	events := s.events
	s.mu.Unlock()
	if events == nil {
		panic(http.ErrAbortHandler)
	}
	if err := json.NewEncoder(w).Encode(events(r)); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (s *logServer) answerEvents(events func(r *http.Request) any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = events
}

func (s *logServer) wasAsked(t *testing.T, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		if asked == want {
			return
		}
	}
	t.Errorf("nobody asked %s, but\n%s", want, strings.Join(s.asked, "\n"))
}

func TestTheLogIsShownOnTheCommandLine(t *testing.T) {
	server := newLogServer(t)
	server.answerEvents(func(*http.Request) any { return events("null", "e-1", "processed", "e-2", "") })
	c := &cli{t: t, url: server.url}
	c.shows([]string{
		"2026-11-20T08:30:00Z  processed  production   shop    Order  [31mCompleted  ada   m-1         e-1",
		"2026-11-20T08:30:00Z  undecided  production",
	}, "events", "--env=production", "--source=shop", "--event=A", "--status=failed", "--message-id=m", "--user-id=u", "-q", "text", "--since=1h", "--until=1m",
		"--where=properties.total>100", "--where=properties.a,b=c", "--limit=7")
	server.wasAsked(t, "/events?environment=production&event=A&limit=7&message_id=m&q=text&since=1h&source=shop&status=failed&until=1m&user_id=u&where=properties.total%3E100&where=properties.a%2Cb%3Dc")
	c.shows([]string{`"status": "processed"`}, "events", "-o", "json")
	c.shows([]string{
		"status       processed", "source       shop", "note         the message ID is too long", `body         {"event":"Order  "}`,
		"0s     received   accepted", "12ms   trigger    matched   trg_1  welcome", "40ms   attempt 1  retrying  r-1    welcome, 503, 7.2 ms, no capacity",
	}, "events", "get", "e-1")
	c.shows([]string{"dead    production   welcome   ada and 1 more  e-1    r-1"}, "runs", "--workflow=welcome", "--recipient=ada", "--event-id=e-1")
	server.wasAsked(t, "/runs?event_id=e-1&limit=50&recipient=ada&workflow=welcome")
	c.shows([]string{`recipients   [{"id":"ada"},"bob"]`, "1        2026-11-20T08:30:00Z  dead     400     12.3  400 Bad Request"}, "runs", "get", "r-1")
	c.shows([]string{"2026-11-20T08:30:00Z  404     unknown_endpoint  -            -       no such endpoint"}, "rejections", "--code=unknown_endpoint")
	c.shows([]string{`"body": "{}"`}, "rejections", "-o", "json")
}

func TestStatisticsAreShownOnTheCommandLine(t *testing.T) {
	server := newLogServer(t)
	c := &cli{t: t, url: server.url}
	c.shows([]string{
		"100 events from 2026-11-20T06:00:00Z to 2026-11-20T09:00:00Z", "60 ┤╭╮", "events decided about, by the hour",
		"processed  75      75.0 %\nundecided  25      25.0 %", "Order Completed  90      90.0 %",
		"repeats  20.0 %  of the events decided about\nmatched  75.0 %  of the others started a run",
		"trg_1    welcome   60     45       14     0         1", "welcome   46     45         1         0     1.5       3.0  4.0  5.0  -               -    -    -",
	}, "stats", "--source=shop", "-e", "production", "--since=72h")
	server.wasAsked(t, "/analytics/series?by=status&environment=production&interval=hour&since=72h&source=shop")
	server.wasAsked(t, "/analytics/top?by=event&environment=production&limit=10&since=72h&source=shop")
	server.wasAsked(t, "/analytics/dedup?environment=production&interval=all&since=72h&source=shop")
	server.wasAsked(t, "/analytics/latency?environment=production&interval=all&since=72h")
	c.shows([]string{`"latency": {`, `"top": {`}, "stats", "-o", "json", "--since=1h")
	server.wasAsked(t, "/analytics/series?by=status&interval=minute&since=1h")
	c.run(0, "stats", "--since=2026-01-01T00:00:00Z")
	server.wasAsked(t, "/analytics/series?by=status&interval=day&since=2026-01-01T00%3A00%3A00Z")
}

// following runs `millrace events --follow` until stop, which returns its exit status.
type following struct {
	t        *testing.T
	out, err rig.Buffer
	cancel   context.CancelFunc
	ended    chan int
}

func follow(t *testing.T, url string, args ...string) *following {
	t.Helper()
	t.Setenv("MILLRACE_API_URL", url)
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{t: t, cancel: cancel, ended: make(chan int, 1)}
	go func() {
		f.ended <- run(ctx, append([]string{"events", "--follow"}, args...), terminal{strings.NewReader(""), &f.out, &f.err, false})
	}()
	t.Cleanup(cancel)
	return f
}

func (f *following) waitsFor(where *rig.Buffer, text string) {
	f.t.Helper()
	deadline := time.After(20 * time.Second)
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for !strings.Contains(where.String(), text) {
		select {
		case <-ticks.C:
		case status := <-f.ended:
			f.t.Fatalf("it ended with %d\n%s%s", status, f.out.String(), f.err.String())
		case <-deadline:
			f.t.Fatalf("no %q in\n%s%s", text, f.out.String(), f.err.String())
		}
	}
}

func (f *following) stop() int {
	f.cancel()
	return <-f.ended
}

// statuses are the events of the output, as JSON lines, in their order.
func (f *following) statuses() string {
	f.t.Helper()
	var all []string
	for line := range strings.Lines(f.out.String()) {
		var e struct{ ID, Status string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			f.t.Errorf("%q is no line of JSON: %v", line, err)
		}
		all = append(all, e.ID+" "+e.Status)
	}
	return strings.Join(all, ", ")
}

func TestFollowShowsEachEventWithItsOutcome(t *testing.T) {
	server := newLogServer(t)
	asked := 0
	server.answerEvents(func(r *http.Request) any {
		query := r.URL.Query()
		switch {
		case query.Has("id"):
			asked++
			return events("null", "e-1", map[bool]string{true: "processed"}[asked > 1])
		case query.Get("after") == "10m":
			return events(`"c1"`, "e-1", "", "e-2", "duplicate")
		default:
			return events(`"c1"`)
		}
	})
	f := follow(t, server.url, "-o", "json", "--since=10m", "--user-id=ada")
	f.waitsFor(&f.out, `"processed"`)
	if got := f.statuses(); got != "e-2 duplicate, e-1 processed" {
		t.Errorf("got %s", got)
	}
	if status := f.stop(); status != 0 || f.err.String() != "" {
		t.Errorf("it ended with %d and said %s", status, f.err.String())
	}
	server.wasAsked(t, "/events?after=10m&limit=500&user_id=ada")
	server.wasAsked(t, "/events?after=c1&limit=500&user_id=ada")
}

func TestFollowShowsAnEventThatStaysUndecidedAndOnceMoreAfterwards(t *testing.T) {
	server := newLogServer(t)
	decided := make(chan struct{})
	server.answerEvents(func(r *http.Request) any {
		switch {
		case r.URL.Query().Get("after") == "0s":
			return events(`"c1"`, "e-1", "")
		case !r.URL.Query().Has("id"):
			return events(`"c1"`)
		}
		select {
		case <-decided:
			return events("null", "e-1", "failed")
		default:
			return events("null", "e-1", "")
		}
	})
	f := follow(t, server.url)
	f.waitsFor(&f.out, "undecided")
	close(decided)
	f.waitsFor(&f.out, "failed")
	if got := f.out.String(); strings.Count(got, "e-1") != 2 || !strings.HasPrefix(got, "RECEIVED") || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
	f.stop()
}

func TestFollowComparesTheStatusOnceThereIsOne(t *testing.T) {
	server := newLogServer(t)
	server.answerEvents(func(r *http.Request) any {
		if r.URL.Query().Has("status") {
			t.Error("the API was asked for a status that comes later")
		}
		if r.URL.Query().Has("id") {
			return events("null", "e-1", "failed", "e-2", "processed")
		}
		if r.URL.Query().Get("after") == "0s" {
			return events(`"c1"`, "e-1", "", "e-2", "", "e-3", "duplicate")
		}
		return events(`"c1"`)
	})
	f := follow(t, server.url, "--status=failed", "-o", "json")
	f.waitsFor(&f.out, "failed")
	if got := f.statuses(); got != "e-1 failed" {
		t.Errorf("got %s", got)
	}
	f.stop()
}

func TestFollowGoesOnWhereItWasWhenTheAPIIsBack(t *testing.T) {
	server := newLogServer(t)
	server.answerEvents(func(*http.Request) any { return events(`"c1"`, "e-1", "processed") })
	f := follow(t, server.url, "-o", "json")
	f.waitsFor(&f.out, "e-1")
	server.answerEvents(nil)
	f.waitsFor(&f.err, "asked again until it answers")
	server.answerEvents(func(r *http.Request) any {
		if r.URL.Query().Get("after") != "c1" {
			return events(`"c2"`)
		}
		return events(`"c2"`, "e-2", "no_trigger")
	})
	f.waitsFor(&f.out, "e-2")
	f.waitsFor(&f.err, "it answers again")
	if status := f.stop(); status != 0 {
		t.Errorf("it ended with %d: %s", status, f.err.String())
	}
}

func TestFollowEndsAtOnceWhereItMakesNoSense(t *testing.T) {
	server := newLogServer(t)
	c := &cli{t: t, url: server.url}
	c.fails([]string{"--until"}, "events", "--follow", "--until=1h")
	c.fails([]string{"-o json"}, "events", "--follow", "-o", "yaml")
	c.fails([]string{"Is it running?"}, "events", "--follow")
}
