package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"

	"github.com/millrace/millrace/bench/load/mix"
	"github.com/millrace/millrace/bench/load/openloop"
)

// workflowAPIArgument makes this command be the workflow API, on the address that follows. The name is what the tables call it.
const (
	workflowAPIArgument = "workflow-api"
	workflowAPIName     = "workflow API"
)

// workflowPrefix is what the name of a workflow begins with; its number follows, one digit.
const (
	workflowPrefix = "workflow-"
	maxMatching    = 10
)

// workflowAPI takes runs, answers at once, and notes how long after its event was due each one came first.
type workflowAPI struct {
	mu       sync.Mutex // guards the fields below
	from, to int64      // microseconds; only events that were due between count
	came     map[delivery]struct{}
	again    int
	latency  *hdrhistogram.Histogram
}

// delivery is one run, as one may be expected for each message and workflow. Messages are told apart by the microsecond.
type delivery struct {
	due      int64
	workflow byte
}

// arrivals is what the workflow API knows of the events it was asked about.
type arrivals struct {
	Runs    int    // each counted once
	Again   int    // deliveries of runs that had come before
	Latency []byte // a histogram, encoded
}

func serveWorkflowAPI(address string) error {
	api := &workflowAPI{}
	api.reset(0, 0)
	server := &fasthttp.Server{Handler: api.handle, NoDefaultServerHeader: true, MaxRequestBodySize: 4 << 20, Concurrency: 4096}
	return server.ListenAndServe(address)
}

func (a *workflowAPI) handle(ctx *fasthttp.RequestCtx) {
	switch {
	case bytes.HasSuffix(ctx.Path(), []byte("/trigger")):
		a.take(ctx)
	case string(ctx.Path()) == "/window":
		from, to := ctx.QueryArgs().GetUintOrZero("from"), ctx.QueryArgs().GetUintOrZero("to")
		a.reset(int64(from), int64(to))
	case string(ctx.Path()) == "/arrivals":
		a.tell(ctx)
	default:
		ctx.SetStatusCode(http.StatusNotFound)
	}
}

func (a *workflowAPI) reset(from, to int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.from, a.to, a.came, a.again, a.latency = from, to, map[delivery]struct{}{}, 0, openloop.NewHistogram()
}

func (a *workflowAPI) take(ctx *fasthttp.RequestCtx) {
	now := time.Now()
	came, err := readDelivery(ctx.Path(), ctx.PostBody())
	if err != nil {
		ctx.Error(err.Error(), http.StatusBadRequest)
		return
	}
	a.note(came, now)
	ctx.SetContentType("application/json")
	fmt.Fprintf(ctx, `{"workflow_run_id":"%d-%c"}`, came.due, came.workflow)
}

func readDelivery(path, body []byte) (delivery, error) {
	_, id, found := bytes.Cut(body, []byte(mix.MessagePrefix))
	_, workflow, named := bytes.Cut(path, []byte(workflowPrefix))
	if !found || !named || len(id) < mix.DueDigits {
		return delivery{}, fmt.Errorf("%s is no run of this measurement: %s", path, body)
	}
	due, err := strconv.ParseInt(string(id[:mix.DueDigits]), 10, 64)
	return delivery{due, workflow[0]}, err
}

func (a *workflowAPI) note(came delivery, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if came.due < a.from || came.due >= a.to {
		return
	}
	if _, is := a.came[came]; is {
		a.again++
		return
	}
	a.came[came] = struct{}{}
	openloop.Record(a.latency, now.Sub(time.UnixMicro(came.due)))
}

func (a *workflowAPI) tell(ctx *fasthttp.RequestCtx) {
	a.mu.Lock()
	defer a.mu.Unlock()
	encoded, err := a.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		ctx.Error(err.Error(), http.StatusInternalServerError)
		return
	}
	if err := json.NewEncoder(ctx).Encode(arrivals{len(a.came), a.again, encoded}); err != nil {
		ctx.Error(err.Error(), http.StatusInternalServerError)
	}
}
