package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/lifetime"
)

// fleet is the processors, each a process of its own with a dedup directory of its own.
type fleet struct {
	t      *testing.T
	world  *world
	binary string
	dir    string
	log    *rig.Buffer
	byName map[string]*process
}

type process struct {
	*exec.Cmd
	exited chan error
}

func newFleet(t *testing.T, w *world) *fleet {
	f := &fleet{t: t, world: w, binary: rig.Binary(t), dir: t.TempDir(), log: &rig.Buffer{}, byName: map[string]*process{}}
	t.Cleanup(func() {
		for name := range f.byName {
			f.kill(name)
		}
		if t.Failed() {
			t.Logf("log of the processors:\n%s", f.log)
		}
	})
	return f
}

func (f *fleet) start(name string) {
	f.t.Helper()
	guarantee := "at_least_once"
	if rig.IsCrashSafe() {
		guarantee = "exactly_once"
	}
	p := &process{exited: make(chan error, 1), Cmd: exec.Command(f.binary, "processor",
		"--kafka-brokers="+f.world.config.Brokers[0], "--kafka-topic-prefix="+f.world.config.TopicPrefix,
		"--processor-instance="+name, "--processor-guarantee="+guarantee, "--processor-session-time="+sessionTime.String(),
		"--processor-dedup-dir="+filepath.Join(f.dir, name), "--admin-listen=", "--processor-dedup-memory=16777216")}
	p.Stdout, p.Stderr = f.log, f.log
	lifetime.EndWithParent(p.Cmd)
	if err := p.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() { p.exited <- p.Wait() }()
	f.byName[name] = p
}

func (f *fleet) kill(name string) {
	f.t.Helper()
	p := f.byName[name]
	delete(f.byName, name)
	if err := p.Process.Kill(); err != nil {
		f.t.Errorf("processor %s ended before it was killed: %v", name, err)
	}
	if err := <-p.exited; err == nil {
		f.t.Errorf("processor %s ended on its own", name)
	}
}

// freeze stops a processor so long that it loses its partitions, and lets it go on as if nothing had been.
func (f *fleet) freeze(name string, length time.Duration) {
	f.t.Helper()
	p := f.byName[name]
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		f.t.Fatal(err)
	}
	f.world.pause(length)
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		f.t.Fatal(err)
	}
}

// end asks a processor to end, which it must do without an error.
func (f *fleet) end(name string) {
	f.t.Helper()
	p := f.byName[name]
	delete(f.byName, name)
	if err := p.Process.Signal(os.Interrupt); err != nil {
		f.t.Fatalf("processor %s ended on its own: %v", name, err)
	}
	select {
	case err := <-p.exited:
		if err != nil {
			f.t.Errorf("processor %s ended with %v", name, err)
		}
	case <-time.After(patience):
		f.t.Fatalf("processor %s does not end", name)
	}
}

func (f *fleet) stop() {
	for name := range f.byName {
		f.end(name)
	}
}
