package eventlog_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

func TestGarbageRecordsDoNotStopTheirPartition(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	good := r.many(300)
	noHeaders := &kgo.Record{Topic: r.kafka.Topic(schemas.EventsTopic), Value: []byte("\xff\x00 no event"), Key: []byte("k")}
	oldEvent, _ := r.event(`{"type":"track","event":"A"}`)
	for i, header := range oldEvent.Headers {
		if header.Key == "received_at" {
			oldEvent.Headers[i].Value = []byte("0001-01-01T00:00:00.000Z")
		}
	}
	notJSON := &kgo.Record{Topic: r.kafka.Topic(schemas.RunsTopic), Value: []byte("{")}
	noVersion := &kgo.Record{Topic: r.kafka.Topic(schemas.DeliveriesTopic), Value: []byte(`{"schema":0}`)}
	garbage := []*kgo.Record{noHeaders, oldEvent, notJSON, noVersion}
	produce(t, r.client, append(garbage, good...)...)
	r.start()
	r.reaches(len(good), "SELECT count() FROM events")
	r.reaches(len(garbage), "SELECT count() FROM quarantine")
	r.exact("events", good)
	r.exact("quarantine", garbage)
	if kept := r.ask("SELECT count() FROM quarantine WHERE value = '\\xff\\0 no event' AND key = 'k' AND reason LIKE '%header%'"); kept != 1 {
		t.Error("the record without headers is not kept as it was")
	}
}

func TestRowThatClickHouseRefusesGoesToQuarantine(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.exec("ALTER TABLE events ADD CONSTRAINT harmless CHECK event != 'Poison'")
	poison, _ := r.event(`{"type":"track","event":"Poison"}`)
	good := r.many(500)
	produce(t, r.client, good[:250]...)
	produce(t, r.client, poison)
	produce(t, r.client, good[250:]...)
	r.start()
	r.reaches(len(good), "SELECT count() FROM events")
	r.reaches(1, "SELECT count() FROM quarantine WHERE reason LIKE '%harmless%'")
	r.exact("events", good)
	r.exact("quarantine", []*kgo.Record{poison})
}

func TestClickHouseThatIsAwayLosesNothing(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	var away atomic.Bool
	dial := r.config.DialContext
	r.config.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
		if away.Load() {
			return nil, errors.New("away")
		}
		conn, err := dial(ctx, addr)
		return &fragile{conn, &away}, err
	}
	r.config.Flush.Rows = 100
	own, watching := connect(t, r.config), r.conn
	r.conn = own
	events := r.many(2000)
	produce(t, r.client, events[:1000]...)
	r.start()
	r.conn = watching
	r.reaches(500, "SELECT count() FROM events")
	away.Store(true)
	produce(t, r.client, events[1000:]...)
	eventually(t, func() error { return r.logs.has("event log cannot write") })
	away.Store(false)
	r.reaches(len(events), "SELECT count() FROM events")
	eventually(t, func() error { return r.logs.has("event log writes again") })
	r.exact("events", events)
}

// fragile is a connection that breaks when the server is away.
type fragile struct {
	net.Conn
	away *atomic.Bool
}

func (f *fragile) Write(bytes []byte) (int, error) {
	if f.away.Load() {
		_ = f.Close()
		return 0, errors.New("away")
	}
	return f.Conn.Write(bytes)
}

func TestEngineKilledDuringInsertsLeavesEachRecordOnce(t *testing.T) {
	engine := newEngine(t)
	r := newRig(t, engine)
	r.config.Flush.Rows = 1000
	events := r.many(24_000)
	produce(t, r.client, events...)
	r.start()
	for kill := 1; kill <= 4; kill++ {
		r.reaches(kill*4000, "SELECT count() FROM events")
		engine.kill(t)
	}
	r.reaches(len(events), "SELECT uniqExact(event_id) FROM events")
	r.exact("events", events)
	t.Logf("of 4 kills %d interrupted a write", strings.Count(r.logs.String(), "event log cannot write"))
}

func TestPartitionWhoseOffsetIsGoneStopsAndSaysSo(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	produce(t, r.client, r.many(300)...)
	stop := r.start()
	r.reaches(300, "SELECT count() FROM events")
	stop()
	produce(t, r.client, r.many(300)...)
	admin := kadm.NewClient(r.client)
	ends, err := admin.ListEndOffsets(t.Context(), r.kafka.Topic(schemas.EventsTopic))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteRecords(t.Context(), ends.Offsets()); err != nil {
		t.Fatal(err)
	}
	r.start()
	eventually(t, func() error { return r.logs.has("event log stopped reading a partition") })
	rejected := r.rejection("{")
	produce(t, r.client, rejected)
	r.reaches(1, "SELECT count() FROM rejections")
}
