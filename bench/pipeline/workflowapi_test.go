package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"

	"github.com/millrace/millrace/bench/load/mix"
)

// post gives the workflow API the run of an event that was due then.
func post(t *testing.T, api *workflowAPI, workflow int, due time.Time) {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI(fmt.Sprintf("/v1/workflows/workflow-%d/trigger", workflow))
	ctx.Request.SetBodyString(fmt.Sprintf(`{"data":{"id":"%s%d-x"}}`, mix.MessagePrefix, due.UnixMicro()))
	api.handle(&ctx)
	if ctx.Response.StatusCode() != http.StatusOK || !strings.Contains(string(ctx.Response.Body()), "workflow_run_id") {
		t.Errorf("answered %d %s", ctx.Response.StatusCode(), ctx.Response.Body())
	}
}

func TestTheWorkflowAPICountsEachRunOfTheWindowOnce(t *testing.T) {
	api := &workflowAPI{}
	from := time.Now().Add(-time.Minute).Truncate(time.Microsecond)
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI(fmt.Sprintf("/window?from=%d&to=%d", from.UnixMicro(), from.Add(time.Second).UnixMicro()))
	api.handle(&ctx)
	post(t, api, 0, from)
	post(t, api, 1, from) // another workflow
	post(t, api, 1, from) // again
	post(t, api, 0, from.Add(-time.Microsecond))
	post(t, api, 0, from.Add(time.Second))

	ctx = fasthttp.RequestCtx{}
	ctx.Request.SetRequestURI("/arrivals")
	api.handle(&ctx)
	var came arrivals
	if err := json.Unmarshal(ctx.Response.Body(), &came); err != nil {
		t.Fatal(err)
	}
	latency, err := hdrhistogram.Decode(came.Latency)
	if err != nil {
		t.Fatal(err)
	}
	if came.Runs != 2 || came.Again != 1 || latency.TotalCount() != 2 || latency.Min() < (59*time.Second).Microseconds() {
		t.Errorf("%d runs, %d again, %d times, the shortest %d µs", came.Runs, came.Again, latency.TotalCount(), latency.Min())
	}
}
