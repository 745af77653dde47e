package dispatcher_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

// badAPI misbehaves for the first calls of each run of the workflow "bad", and takes all others at once. It counts
// started runs as an API does that knows idempotency keys.
type badAPI struct {
	*httptest.Server
	misbehave func(w http.ResponseWriter, r *http.Request, nth int) bool // false: take the run

	mu      sync.Mutex
	calls   map[string]int
	started map[string]int
}

func startBadAPI(t *testing.T, misbehave func(http.ResponseWriter, *http.Request, int) bool) *badAPI {
	api := &badAPI{misbehave: misbehave, calls: map[string]int{}, started: map[string]int{}}
	api.Server = httptest.NewUnstartedServer(api)
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.Start()
	t.Cleanup(api.Close)
	return api
}

func (a *badAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	run := r.Header.Get("Idempotency-Key")
	a.mu.Lock()
	a.calls[run]++
	nth := a.calls[run]
	a.mu.Unlock()
	if strings.Contains(r.URL.Path, "/bad/") && a.misbehave(w, r, nth) {
		return
	}
	a.mu.Lock()
	a.started[run]++
	a.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"workflow_run_id":"wf-%s"}`, run)
}

func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}

// misbehaviour is one way to be a bad workflow API, and what must come of it.
type misbehaviour struct {
	name    string
	do      func(w http.ResponseWriter, r *http.Request, nth int) bool
	outcome schemas.DeliveryOutcome
	calls   int    // for each run, at least
	says    string // in the first attempt's error
}

func misbehaviours() []misbehaviour {
	firstTwo := func(do func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, nth int) bool {
			if nth > 2 {
				return false
			}
			do(w, r)
			return true
		}
	}
	always := func(do func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool { do(w, r); return true }
	}
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			if len(header) == 2 {
				w.Header().Set(header[0], header[1])
			}
			w.WriteHeader(code)
		}
	}
	return []misbehaviour{
		{"no answer in time", firstTwo(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), schemas.Delivered, 3, "did not answer within"},
		{"429", firstTwo(status(429)), schemas.Delivered, 3, "429"},
		{"409, the key is in use", firstTwo(status(409)), schemas.Delivered, 3, "409"},
		{"500 for a while", firstTwo(status(500)), schemas.Delivered, 3, "500"},
		{"reset before an answer", firstTwo(func(w http.ResponseWriter, _ *http.Request) { reset(w) }), schemas.Delivered, 3, "calling the workflow API"},
		{"reset in the middle of a failure's body", firstTwo(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			reset(w)
		}), schemas.Delivered, 3, "503"},
		{"reset in the middle of a success's body", always(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"workflow`)
			_ = http.NewResponseController(w).Flush()
			reset(w)
		}), schemas.Delivered, 1, ""},
		{"endless body of a success", always(endless), schemas.Delivered, 1, ""},
		{"endless body of a failure", firstTwo(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			endless(w, r)
		}), schemas.Delivered, 3, "500"},
		{"headers that trickle", firstTwo(trickle), schemas.Delivered, 3, "did not answer within"},
		{"no HTTP", firstTwo(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
			_ = conn.Close()
		}), schemas.Delivered, 3, "calling the workflow API"},
		{"400", always(status(400)), schemas.Dead, 1, "400"},
		{"redirect", always(status(302, "Location", "/v1/workflows/fine/trigger")), schemas.Dead, 1, "not followed"},
	}
}

func trickle(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	defer conn.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Slow: ")
	for range 500 {
		<-tick.C
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
	}
}

func TestMisbehavingAPIHasItsStatedOutcomeAndDelaysNoOther(t *testing.T) {
	for _, m := range misbehaviours() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			requireOutcome(t, m)
		})
	}
}

const badRuns, otherRuns = 20, 100

func requireOutcome(t *testing.T, m misbehaviour) {
	p := newPipeline(t, 2, func(call) reply { return ok() })
	api := startBadAPI(t, m.do)
	p.destination.BaseURL = api.URL
	config := quick()
	config.Timeout, config.RetryTiers = patience, shortTiers()
	if strings.Contains(m.says, "did not answer") {
		config.Timeout = 500 * time.Millisecond
	}
	for i := range badRuns {
		p.write(int32(i%2), fmt.Sprint("b", i), newRunOf("bad", fmt.Sprint("bad", i)))
	}
	p.run(config)
	p.eventually("misbehaviour", func() bool { api.mu.Lock(); defer api.mu.Unlock(); return len(api.calls) > 0 })
	for i := range otherRuns {
		p.write(int32(i%2), fmt.Sprint("o", i), newRun(fmt.Sprint("other", i)))
	}
	last := map[string]schemas.Delivery{}
	first := map[string]schemas.Delivery{}
	records := p.follow(schemas.DeliveriesTopic)
	deadline := time.After(patience)
	for done := 0; done < badRuns+otherRuns; {
		select {
		case record := <-records:
			delivery, err := schemas.Decode[schemas.Delivery](record.Value)
			if err != nil {
				t.Fatal(err)
			}
			if _, found := first[delivery.RunID]; !found {
				first[delivery.RunID] = delivery
			}
			last[delivery.RunID] = delivery
			if delivery.Outcome != schemas.Retrying {
				done++
			}
		case <-deadline:
			t.Fatalf("%d runs are decided\nlog:\n%s", done, p.log)
		}
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	for i := range badRuns {
		run := fmt.Sprint("bad", i)
		// net/http repeats a call by itself on a connection that breaks before an answer: the key makes that safe.
		says := first[run].Outcome == schemas.Delivered && m.outcome == schemas.Delivered || strings.Contains(first[run].Error, m.says)
		if last[run].Outcome != m.outcome || api.calls[run] < m.calls || m.calls == 1 && api.calls[run] != 1 || !says {
			t.Errorf("%s: %d calls, first %+v, last %+v", run, api.calls[run], first[run], last[run])
		}
	}
	for i := range otherRuns {
		if run := fmt.Sprint("other", i); last[run].Outcome != schemas.Delivered || api.started[run] != 1 || last[run].Attempt != 1 {
			t.Errorf("%s: started %d times, %+v", run, api.started[run], last[run])
		}
	}
	for run, times := range api.started {
		if times != 1 {
			t.Errorf("%s was started %d times", run, times)
		}
	}
	p.eventually("all is committed", func() bool { at := p.committed(); return at[0]+at[1] == badRuns+otherRuns })
	p.requireNoSecrets()
}

// TestAPIThatMisbehavesHoldsUpNoOtherRun has a workflow whose calls fail, break off, and hang until the others are through.
// How long these take meanwhile is the benchmarks' to tell.
func TestAPIThatMisbehavesHoldsUpNoOtherRun(t *testing.T) {
	var turn, hung, ended atomic.Int32
	released := make(chan struct{})
	api := startBadAPI(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch turn.Add(1) % 3 {
		case 0:
			w.WriteHeader(http.StatusInternalServerError)
		case 1:
			hung.Add(1)
			select {
			case <-released:
			case <-r.Context().Done():
			}
			ended.Add(1)
		case 2:
			reset(w)
		}
		return true
	})
	p := newPipeline(t, 2, func(call) reply { return ok() })
	bad := p.destination
	bad.BaseURL = api.URL
	p.others = map[string]dispatcher.Destination{"bad": bad}
	config := quick()
	config.Timeout, config.RetryTiers, config.MaxOutstanding = 5*time.Minute, shortTiers(), 200
	for i := range 300 {
		run := newRunOf("bad", fmt.Sprint("bad", i))
		run.Environment = "bad"
		p.write(int32(i%2), fmt.Sprint("b", i), run)
	}
	stop := p.run(config)
	p.eventually("calls hang", func() bool { return hung.Load() > 0 })
	for i := range 200 {
		run := newRun(fmt.Sprint("other", i))
		p.write(int32(i%2), fmt.Sprint("o", i), run)
		p.eventually("a call", func() bool { return len(p.api.calls(run.RunID)) > 0 })
	}
	if n := ended.Load(); n > 0 {
		t.Errorf("%d of %d calls that hang have ended before the others were through", n, hung.Load())
	}
	close(released)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestCertificateThatCannotBeVerifiedIsNotTalkedTo(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	calls := 0
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	api.StartTLS()
	t.Cleanup(api.Close)
	p.destination.BaseURL = api.URL
	p.write(0, "k", newRun("r1"))
	p.run(quick())
	for _, delivery := range p.deliveries(2)["r1"][:2] {
		if delivery.Outcome != schemas.Retrying || !strings.Contains(delivery.Error, "certificate") {
			t.Errorf("delivery is %+v", delivery)
		}
	}
	if calls > 0 {
		t.Error("a run was sent")
	}
	p.requireNoSecrets()
}

func TestAddressThatIsNotPublicIsNotCalledUnlessAllowed(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.api.URL, "http://"))
	for i, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0", "169.254.169.254"} {
		name := fmt.Sprint("e", i)
		if p.others == nil {
			p.others = map[string]dispatcher.Destination{}
		}
		p.others[name] = dispatcher.Destination{BaseURL: "http://" + host + ":" + port, APIKey: "sk_canary"}
		run := newRun(name)
		run.Environment = name
		p.write(0, name, run)
	}
	config := quick()
	config.AllowNetworks = nil
	stop := p.run(config)
	seen := map[string]bool{}
	for record := range p.follow(schemas.DeliveriesTopic) {
		delivery, err := schemas.Decode[schemas.Delivery](record.Value)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(delivery.Error, "not a public address") && !strings.Contains(delivery.Error, "no such host") && !strings.Contains(delivery.Error, "lookup") {
			t.Errorf("%s: %+v", delivery.RunID, delivery)
		}
		if seen[delivery.RunID] = true; len(seen) == 6 {
			break
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := len(p.api.calls("")); n > 0 {
		t.Errorf("%d calls", n)
	}
	p.requireNoSecrets()
}

func TestDestinationShowsItsKeyToNobody(t *testing.T) {
	var log safeBuffer
	to := dispatcher.Destination{BaseURL: "https://user:sk_canary@example.com", APIKey: "sk_canary"}
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("destination", "to", to)
	logger.Info(fmt.Sprintf("%v %+v %#v %s", to, to, to, to))
	if strings.Contains(log.String(), "sk_canary") {
		t.Errorf("log:\n%s", &log)
	}
}
