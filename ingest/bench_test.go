package ingest_test

import (
	"net/http"
	"strings"
	"testing"
)

// BenchmarkPost has client and broker in the same process: its times and allocations tell only what a change of ingest does.
// How much ingest takes, `make bench-ingest` tells.
func BenchmarkPost(b *testing.B) {
	w := newWorld(b, nil)
	endpoint := w.endpoint("production", nil)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(posts *testing.PB) {
		for posts.Next() {
			answer, err := w.client.Post(endpoint, "application/json", strings.NewReader(good))
			if err != nil {
				b.Error(err)
				return
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusNoContent {
				b.Errorf("answered %d", answer.StatusCode)
				return
			}
		}
	})
	b.StopTimer()
}
