package processor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// BenchmarkDecide asks ten triggers about each sample event, two of which match, and writes the decision and the runs
// as records, without Kafka. An operation is one event.
func BenchmarkDecide(b *testing.B) {
	var triggers []*compiledTrigger
	for i := range 10 {
		condition := fmt.Sprintf(`data.total > %d && data.currency == "XXX"`, i)
		if i < 2 {
			condition = `context.locale != nil && environment == "production"`
		}
		trigger := schemas.Trigger{
			ID: fmt.Sprint("trg_0000000000000000000", i), Revision: 7, Status: schemas.TriggerActive, Workflow: fmt.Sprint("workflow-", i), Condition: condition,
			Mapping: schemas.Mapping{Data: map[string]json.RawMessage{"url": json.RawMessage(`"context.page.url"`), "properties": json.RawMessage(`"data"`)}},
		}
		triggers = append(triggers, newCompiledTrigger(trigger, new(atomic.Int64), nil))
	}
	bodies, metas := sampleEvents(b)
	written, n := 0, 0
	into := &batch{produce: func(record *kgo.Record) { written += len(record.Value) }}
	d := &decider{processor: &Processor{decisions: "d", runs: "r"}, decision: newDecision()}
	b.ReportAllocs()
	for b.Loop() {
		i := n % len(bodies)
		d.decision.Begin(schemas.Decision{
			Schema: schemas.Version, EventID: metas[i].EventID, SourceID: metas[i].SourceID, Environment: metas[i].Environment, Event: metas[i].Event,
			ReceivedAt: metas[i].ReceivedAt, DecidedAt: metas[i].ReceivedAt,
		})
		d.decision.consider(metas[i], bodies[i], &binding{source: "app", triggers: triggers})
		d.write(into)
		n++
	}
	b.ReportMetric(float64(written)/float64(n), "written-B/op")
}

func sampleEvents(b *testing.B) (bodies [][]byte, metas []schemas.EventMeta) {
	file, err := os.Open("../schemas/testdata/track-events.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	received := time.Date(2026, 11, 20, 8, 0, 0, 123_000_000, time.UTC)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		body := bytes.Clone(lines.Bytes())
		track, err := schemas.ParseTrack(body)
		if err != nil {
			b.Fatal(err)
		}
		id, err := schemas.NewEventID(received)
		if err != nil {
			b.Fatal(err)
		}
		bodies = append(bodies, body)
		metas = append(metas, schemas.EventMeta{EventID: id.String(), SourceID: "src_0001", Environment: "production", Event: track.Event, MessageID: track.MessageID, ReceivedAt: received})
	}
	return bodies, metas
}
