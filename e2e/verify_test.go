package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestVerifyProvesThatClickHouseHasEveryRecord kills the pipeline in between, so that there is something to prove.
func TestVerifyProvesThatClickHouseHasEveryRecord(t *testing.T) {
	a := newApp(t)
	events := samples(t)
	a.send(t, events[:len(events)/2])
	a.Kill()
	a.Restart()
	a.send(t, events[len(events)/2:])
	a.Eventually("nothing waits to be verified", func() error {
		command := exec.CommandContext(t.Context(), rig.Binary(t), "eventlog", "verify", "-o", "json", "--kafka-brokers="+a.Kafka,
			"--kafka-topic-prefix="+a.TopicPrefix, "--clickhouse-dsn="+a.ClickHouse+"/millrace?compress=none")
		out, err := command.Output()
		if err != nil {
			t.Fatalf("it ends with %v: %s", err, out)
		}
		var verified []struct {
			Table                  string
			Records, Rows, Missing int
		}
		if err := json.Unmarshal(out, &verified); err != nil {
			return err
		}
		rows := map[string]int{}
		for _, v := range verified {
			rows[v.Table] += v.Rows
		}
		if rows["events"] != len(events) || rows["decisions"] != len(events) {
			return fmt.Errorf("%v rows, want %d of events and decisions", rows, len(events))
		}
		return nil
	})
}
