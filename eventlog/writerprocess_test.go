package eventlog_test

import (
	"os"
	"os/exec"

	backend "github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/lifetime"
)

// writerProcess is `millrace eventlog` as a process of its own.
type writerProcess struct {
	rig     *rig
	addr    string
	kills   int
	command *exec.Cmd
}

func (w *writerProcess) start() {
	t := w.rig.tb
	t.Helper()
	w.command = exec.Command(backend.Binary(t), "eventlog", "--kafka-brokers="+w.rig.kafka.Brokers[0], "--kafka-topic-prefix="+w.rig.kafka.TopicPrefix,
		"--clickhouse-dsn=http://"+w.addr+"/"+w.rig.config.Database()+"?compress=none", "--clickhouse-instance-id=writer",
		"--clickhouse-flush-rows=500", "--clickhouse-flush-interval=50ms", "--admin-listen=") // so that most kills hit an insert
	w.command.Stdout, w.command.Stderr = w.rig.logs, w.rig.logs
	lifetime.EndWithParent(w.command)
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process as a crash does, if there is one.
func (w *writerProcess) kill() {
	if w.command == nil {
		return
	}
	w.kills++
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
	w.command = nil
}

// end asks the process to end, which it must do without an error.
func (w *writerProcess) end() {
	w.rig.tb.Helper()
	if err := w.command.Process.Signal(os.Interrupt); err != nil {
		w.rig.tb.Fatal(err)
	}
	if err := w.command.Wait(); err != nil {
		w.rig.tb.Errorf("the writer ended with %v\n%s", err, w.rig.logs)
	}
	w.command = nil
}
