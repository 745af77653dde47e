package eventlog_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/millrace/millrace/schemas"
)

// gate holds back what a connection sends from the first insert into a table on, until it is opened.
type gate struct {
	table  string
	opened chan struct{}
	open   func()
}

func newGate(table string) *gate {
	g := &gate{table: table, opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	return g
}

// hold makes the event log's connections pass through the gate. The rig's own does not.
func (r *rig) hold(g *gate) {
	r.tb.Helper()
	config := r.config
	config.DialContext = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := r.config.DialContext(ctx, addr)
		return gatedConn{conn, g}, err
	}
	r.tb.Cleanup(g.open)
	r.writer = connect(r.tb, config)
}

type gatedConn struct {
	net.Conn
	gate *gate
}

func (c gatedConn) Write(data []byte) (int, error) {
	if bytes.Contains(data, []byte("INSERT+INTO+"+c.gate.table)) {
		<-c.gate.opened
	}
	return c.Conn.Write(data)
}

// measures expects a metric of the event log to become want; it is summed up over what is labelled so.
func (r *rig) measures(name, label, value string, want float64) {
	r.tb.Helper()
	eventually(r.tb, func() error {
		if got := r.measured(name, label, value); got != want {
			return fmt.Errorf("%s{%s=%q} is %g, want %g", name, label, value, got, want)
		}
		return nil
	})
}

func (r *rig) measured(name, label, value string) (sum float64) {
	r.tb.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if pair.GetName() == label && pair.GetValue() == value {
					sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

func TestSlowTablePausesItsTopicAndHoldsUpNoOther(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.Flush.Rows = 100
	events := r.many(5000)
	produce(t, r.client, events...)
	gate := newGate("events")
	r.hold(gate)
	r.start()
	r.measures("millrace_eventlog_paused", "table", "events", 1)
	produce(t, r.client, r.rejection("{"))
	r.reaches(1, "SELECT count() FROM rejections")
	r.measures("millrace_eventlog_lag_records", "topic", r.kafka.Topic(schemas.EventsTopic), float64(len(events)))
	r.measures("millrace_eventlog_paused", "table", "rejections", 0)
	gate.open()
	r.reaches(len(events), "SELECT count() FROM events")
	r.measures("millrace_eventlog_paused", "table", "events", 0)
	r.measures("millrace_eventlog_lag_records", "topic", r.kafka.Topic(schemas.EventsTopic), 0)
	r.measures("millrace_eventlog_rows_total", "table", "events", float64(len(events)))
	r.exact("events", events)
}

func TestReadingGoesOnWhileABlockIsInserted(t *testing.T) {
	r := newWatchedRig(t, sharedEngine(t))
	r.config.Flush.Rows = 1000
	gate := newGate("events")
	r.hold(gate)
	r.start()
	events := r.many(500)
	produce(t, r.client, events[:100]...)
	r.fetched(100)
	produce(t, r.client, events[100:]...)
	r.fetched(500)
	if rows := r.ask("SELECT count() FROM events"); rows != 0 {
		t.Fatalf("%d rows passed the gate", rows)
	}
	gate.open()
	r.reaches(len(events), "SELECT count() FROM events")
	r.exact("events", events)
}
