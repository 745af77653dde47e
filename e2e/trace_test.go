package e2e

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/millrace/millrace/rig"
)

// tracing is an OTLP collector and a workflow API in the test's own process.
type tracing struct {
	collector, workflows *httptest.Server

	mu       sync.Mutex // guards what follows
	spans    map[string]*spans.Span
	parents  []string // the traceparents that the workflow API got
	problems []string
}

func newTracing(t *testing.T) *tracing {
	t.Helper()
	r := &tracing{spans: map[string]*spans.Span{}}
	r.collector = httptest.NewServer(http.HandlerFunc(r.collect))
	r.workflows = httptest.NewServer(http.HandlerFunc(r.trigger))
	t.Cleanup(r.collector.Close)
	t.Cleanup(r.workflows.Close)
	return r
}

func (r *tracing) collect(_ http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(request.Body)
		if err != nil {
			r.problems = append(r.problems, err.Error())
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var export collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &export)
	}
	if err != nil {
		r.problems = append(r.problems, err.Error())
		return
	}
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans[span.GetName()] = span
			}
		}
	}
}

func (r *tracing) trigger(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parents = append(r.parents, request.Header.Get("traceparent"))
	status := http.StatusOK
	if len(r.parents) == 1 {
		status = http.StatusServiceUnavailable // the second attempt is of the same trace
	}
	w.WriteHeader(status)
}

// names are the spans from the request to the call, each the child of the one before.
func names() []string {
	return []string{"ingest receive", "processor decide", "run", "dispatcher attempt"}
}

func TestOneTraceLeadsFromThePostToTheDelivery(t *testing.T) {
	r := newTracing(t)
	p := rig.Start(t, "--trace-enabled", "--trace-ratio=0", "--trace-endpoint="+r.collector.URL+"/v1/traces", "--workflow-api-url="+r.workflows.URL)
	endpoint := traced(p)
	const trace, sender = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	post := func(header http.Header) {
		t.Helper()
		answer, err := rig.Request(http.MethodPost, endpoint, []byte(`{"type":"track","event":"Traced","userId":"ada"}`), header)
		if err != nil || answer.Status != http.StatusNoContent {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	post(http.Header{"Traceparent": {"00-" + trace + "-" + sender + "-01"}})
	post(http.Header{"Traceparent": {"00-" + trace + "-nonsense"}})
	p.Eventually("all spans and calls have come", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.spans) < len(names()) || len(r.parents) < 3 {
			return fmt.Errorf("spans %v, calls %q", slices.Sorted(maps.Keys(r.spans)), r.parents)
		}
		return nil
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, problem := range r.problems {
		t.Error(problem)
	}
	parent := sender
	for _, name := range names() {
		span := r.spans[name]
		if span == nil {
			t.Fatalf("there is no span %q", name)
		}
		if got := hex.EncodeToString(span.GetTraceId()); got != trace {
			t.Errorf("%s is of trace %s", name, got)
		}
		if got := hex.EncodeToString(span.GetParentSpanId()); got != parent {
			t.Errorf("%s stands below %s, want %s", name, got, parent)
		}
		parent = hex.EncodeToString(span.GetSpanId())
	}
	sampled := 0
	for _, got := range r.parents {
		if strings.HasPrefix(got, "00-"+trace+"-") {
			sampled++
		} else if got != "" {
			t.Errorf("an event that nobody traces was sent with traceparent %q", got)
		}
	}
	if sampled < 1 || sampled == len(r.parents) {
		t.Errorf("the workflow API got the traceparents %q", r.parents)
	}
}

// traced makes a source with a trigger, and returns its endpoint.
func traced(p *rig.Pipeline) string {
	var source struct {
		ID        string `json:"id"`
		Endpoints map[string]struct {
			URL string `json:"url"`
		} `json:"endpoints"`
	}
	p.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "traced"}, &source)
	p.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, map[string]any{
		"environment": "production", "source_id": source.ID, "event": "Traced", "workflow": "traced",
		"mapping": map[string]any{"recipients": map[string]any{"expr": "user_id"}},
	}, nil)
	return source.Endpoints["production"].URL
}
