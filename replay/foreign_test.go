package replay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/schemas"
)

// To pass over an event of a newer version would leave its runs out, and nobody would know.
func TestEventOfANewerVersionIsNotLeftOutOfAReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(150)...)
	foreign, _ := w.record(order{total: 150}, len(w.events))
	foreign.Headers = append(foreign.Headers, kgo.RecordHeader{Key: "schema", Value: []byte("2")})
	if err := w.client.ProduceSync(t.Context(), foreign).FirstErr(); err != nil {
		t.Fatal(err)
	}
	all := w.wanted(func(r *schemas.Replay) { r.Statuses = nil; r.Generation = 1 })
	checked, err := w.reader.Snapshot().CheckReplay(all, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, err = replay.DryRun(t.Context(), w.config, w.log, checked, func(schemas.ReplayProgress) {})
	if err == nil || !strings.Contains(err.Error(), "upgrade this process first") {
		t.Errorf("got %v", err)
	}
}
