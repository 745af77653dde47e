package eventlog_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
	backend "github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestRebuildProcessIsKilledAndGoesOn kills `millrace eventlog rebuild` again and again, each time a little later, beside
// the event log as another process, until it gets through.
func TestRebuildProcessIsKilledAndGoesOn(t *testing.T) {
	engine := newStoppable(t)
	r := newRig(t, engine.engine)
	addr := engine.listen(t)
	records := r.many(20_000)
	produce(t, r.client, records...)
	writer := &writerProcess{rig: r, addr: addr}
	writer.start()
	eventually(t, func() error { return r.allCommitted(schemas.EventsTopic, len(records)) })
	r.forget(schemas.EventsTopic, 1000)
	var answer bytes.Buffer
	for round, isThrough := 1, false; !isThrough; round++ {
		some := r.many(500)
		records = append(records, some...)
		produce(t, r.client, some...)
		isThrough = r.rebuildProcess(addr, time.Duration(round)*150*time.Millisecond, &answer)
	}
	var all []eventlog.Rebuilt
	if err := json.Unmarshal(answer.Bytes(), &all); err != nil || len(all) != 1 || !all[0].IsExact() || all[0].Unknown != 0 {
		t.Errorf("%s: %v", answer.Bytes(), err)
	}
	eventually(t, func() error { return r.allCommitted(schemas.EventsTopic, len(records)) })
	writer.end()
	r.exact("events", slices.Clone(records))
	r.leftovers()
}

// rebuildProcess runs a rebuild, kills it after a time, and tells whether it got through before.
func (r *rig) rebuildProcess(addr string, limit time.Duration, answer *bytes.Buffer) bool {
	r.tb.Helper()
	command := exec.Command(backend.Binary(r.tb), "eventlog", "rebuild", "--topic=events", "--yes", "--continue", "-o", "json",
		"--kafka-brokers="+strings.Join(r.kafka.Brokers, ","), "--kafka-topic-prefix="+r.kafka.TopicPrefix,
		"--clickhouse-dsn=http://"+addr+"/"+r.config.Database()+"?compress=none", "--clickhouse-flush-rows=2000")
	answer.Reset()
	command.Stdout, command.Stderr = answer, r.logs
	if err := command.Start(); err != nil {
		r.tb.Fatal(err)
	}
	kill := time.AfterFunc(limit, func() { _ = command.Process.Kill() })
	err := command.Wait()
	if kill.Stop() && err != nil {
		r.tb.Fatalf("it ended with %v\n%s", err, r.logs)
	}
	return err == nil
}
