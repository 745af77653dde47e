package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/schemas"
)

// Of a hundred events one each is poison of a kind, by its number.
func isRefusedByAPI(number int64) bool        { return number%100 == 1 }
func isAnonymous(number int64) bool           { return number%100 == 3 }
func isRefusedByClickHouse(number int64) bool { return number%100 == 5 }

// TestP16PoisonStopsNothing mixes one percent of each kind of poison into the load: bodies that are no events, events that
// cannot be mapped, records of the events topic that are no events, runs that the workflow API refuses, and rows that
// ClickHouse refuses. Each must end where its kind does, and all else must arrive.
func TestP16PoisonStopsNothing(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Anonymous: isAnonymous, Dead: isRefusedByAPI, Refused: isRefusedByClickHouse})
	f.Exec("ALTER TABLE events ADD CONSTRAINT harmless CHECK JSONExtractInt(body, 'properties', 'n') % 100 != 5")
	f.Workflows.Follow(func(answer http.ResponseWriter, _ *http.Request, body []byte) bool {
		var run struct{ Data struct{ N int64 } }
		if err := json.Unmarshal(body, &run); err != nil || isRefusedByAPI(run.Data.N) {
			http.Error(answer, "no such recipient", http.StatusUnprocessableEntity)
			return false
		}
		return true
	})
	ingest := f.StartAll()
	garbage := newGarbage(t, f, ingest)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 100, Seed: random.Uint64()})
	for deadline := time.Now().Add(length); time.Now().Before(deadline); {
		f.Pause(time.Second) // one in a hundred
		garbage.post(random)
		garbage.produce(random)
	}
	t.Log(load.Stop())
	report := f.Ledger.Check(t)
	garbage.requireRejections()
	unmapped := f.Ledger.AcknowledgedOf(isAnonymous)
	if want := f.Ledger.AcknowledgedOf(isRefusedByClickHouse) + garbage.produced; report.Quarantined < want {
		t.Errorf("%d rows had to be in quarantine, at least %d were sent for it", report.Quarantined, want)
	}
	t.Logf("figure: %d events; %d bodies refused with 400 or 422, %d events not mapped, %d runs dead, %d records that are no events and %d rows that ClickHouse refused in quarantine; %d runs in all, 0 lost",
		report.Events, garbage.posted, unmapped, report.Dead, garbage.produced, report.Quarantined-garbage.produced, report.Runs)
}

// garbage is what no sender of events sends.
type garbage struct {
	t                *testing.T
	fleet            *fleet.Fleet
	url              string
	client           *kgo.Client
	posted, produced int
}

func newGarbage(t *testing.T, f *fleet.Fleet, ingest *fleet.Process) *garbage {
	client, err := kgo.NewClient(f.Kafka.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &garbage{t: t, fleet: f, url: ingest.URL + f.Path, client: client}
}

// post sends a body that is no event to ingest, which must refuse it.
func (g *garbage) post(random *rand.Rand) {
	g.t.Helper()
	bodies := []string{"", "{", "[1,2]", `{"type":"track"}`, `{"type":"page","event":"Order"}`, "\xff\xfe\x00", `{"type":"track","event":"Order","event":"Order"`}
	body := bodies[random.IntN(len(bodies))]
	answer, err := rig.Request(http.MethodPost, g.url, []byte(body), nil)
	if err != nil || answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnprocessableEntity {
		g.t.Fatalf("posting %q: %d %s, %v", body, answer.Status, answer.Body, err)
	}
	g.posted++
}

// produce writes a record into the events topic that is no event.
func (g *garbage) produce(random *rand.Rand) {
	g.t.Helper()
	record := &kgo.Record{Topic: g.fleet.Kafka.Topic(schemas.EventsTopic), Value: []byte("\xff\x00 no event")}
	if random.IntN(2) == 0 {
		record.Headers = []kgo.RecordHeader{{Key: "source", Value: []byte("src_unknown")}}
	}
	if err := g.client.ProduceSync(g.t.Context(), record).FirstErr(); err != nil {
		g.t.Fatal(err)
	}
	g.produced++
}

// requireRejections waits until each refused body is in ClickHouse, and looks whether there are others.
func (g *garbage) requireRejections() {
	g.t.Helper()
	const question = "SELECT count() FROM rejections FINAL WHERE status_code IN (400, 422)"
	rig.Eventually(g.t, "each refused body is in the table rejections", func() error {
		count, err := g.fleet.Count(question)
		if err == nil && int(count) != g.posted {
			err = fmt.Errorf("%d rows, want %d", count, g.posted)
		}
		return err
	})
}
