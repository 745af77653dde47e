package dispatcher_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/millrace/millrace/schemas"
)

// BenchmarkDispatch measures runs a second from the runs topic to an API that answers at once. Broker, API and
// dispatcher share the machine.
func BenchmarkDispatch(b *testing.B) {
	p := newPipeline(b, 6, func(call) reply { return ok() })
	p.logger = slog.New(slog.DiscardHandler)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"workflow_run_id":"wf-1"}`)
	}))
	b.Cleanup(api.Close)
	p.destination.BaseURL = api.URL
	for i := range b.N {
		p.writeLater(int32(i%6), fmt.Sprint("user-", i%2000), newRun(fmt.Sprint("run-", i)))
	}
	if err := p.client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	config := quick()
	config.Concurrency = 64
	b.ResetTimer()
	p.run(config)
	p.eventually("all runs committed", func() bool {
		var sum int64
		for _, at := range p.committed() {
			sum += at
		}
		return sum == int64(b.N)
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

func (p *pipeline) writeLater(partition int32, key string, run schemas.Run) {
	p.t.Helper()
	value, err := schemas.Encode(run)
	if err != nil {
		p.t.Fatal(err)
	}
	p.client.Produce(p.t.Context(), p.record(partition, key, value), nil)
}
