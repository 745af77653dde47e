package fleet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/lifetime"
)

// Launch says what is started and how. Only the role is needed.
type Launch struct {
	Role   string   // ingest, processor, dispatcher, eventlog, api or replay
	Name   string   // of the process, the same at each start of it; the role's
	Binary string   // of another version; the fleet's
	Within []string // a command that runs the process, such as one that enters a network namespace
	Host   string   // that it listens on; 127.0.0.1
	Flags  []string // beside those that every process of its role has; of two the last holds
}

// Process is a role that runs.
type Process struct {
	Launch
	URL      string // that it serves, of ingest and api
	AdminURL string // of /readyz and /metrics

	fleet   *Fleet
	command *exec.Cmd
	exited  chan error
	log     rig.Buffer
}

// Start starts a process and does not wait for it.
func (f *Fleet) Start(launch Launch) *Process {
	f.t.Helper()
	if launch.Name == "" {
		launch.Name = launch.Role
	}
	if launch.Binary == "" {
		launch.Binary = f.options.Binary
	}
	if f.byName[launch.Name] != nil {
		f.t.Fatalf("%s runs already", launch.Name)
	}
	serves, admin := f.addresses(launch)
	p := &Process{Launch: launch, URL: "http://" + serves, AdminURL: "http://" + admin, fleet: f, exited: make(chan error, 1)}
	args := append([]string{launch.Binary}, f.roleFlags(launch, serves)...)
	args = append(append(append(args, f.KafkaFlags()...), "--admin-listen="+admin), f.options.Flags...)
	args = append(args, launch.Flags...)
	args = append(append([]string{}, launch.Within...), args...)
	p.command = exec.Command(args[0], args[1:]...)
	output := io.MultiWriter(f.log, &p.log)
	p.command.Stdout, p.command.Stderr = output, output
	lifetime.EndWithParent(p.command)
	if err := p.command.Start(); err != nil {
		f.t.Fatalf("starting %s: %v", launch.Name, err)
	}
	go func() { p.exited <- p.command.Wait() }()
	f.byName[launch.Name] = p
	return p
}

// StartAll starts one process of each role that live traffic needs, and waits until all are ready. It returns ingest.
func (f *Fleet) StartAll() *Process {
	f.t.Helper()
	for _, role := range []string{"ingest", "processor", "dispatcher", "eventlog"} {
		f.Start(Launch{Role: role})
	}
	for _, p := range f.byName {
		p.AwaitReady()
	}
	return f.byName["ingest"]
}

// Process returns one that runs.
func (f *Fleet) Process(name string) *Process {
	f.t.Helper()
	p := f.byName[name]
	if p == nil {
		f.t.Fatalf("no %s runs", name)
	}
	return p
}

// addresses returns where a process serves and where its admin listener is: the same at each start.
func (f *Fleet) addresses(launch Launch) (serves, admin string) {
	if f.addressesOf[launch.Name] == [2]string{} {
		f.addressesOf[launch.Name] = [2]string{f.freeAddress(launch.Host), f.freeAddress(launch.Host)}
	}
	both := f.addressesOf[launch.Name]
	return both[0], both[1]
}

func (f *Fleet) freeAddress(host string) string {
	address := rig.FreeAddr(f.t)
	if host == "" {
		return address
	}
	return host + address[strings.LastIndex(address, ":"):]
}

func (f *Fleet) roleFlags(launch Launch, serves string) []string {
	session := SessionTime.String()
	switch launch.Role {
	case "ingest":
		return []string{"ingest", "--ingest-listen=" + serves}
	case "processor":
		guarantee := "at_least_once"
		if f.isExactlyOnce() {
			guarantee = "exactly_once"
		}
		return []string{
			"processor", "--processor-instance=" + launch.Name, "--processor-guarantee=" + guarantee, "--processor-session-time=" + session,
			"--processor-dedup-dir=" + f.Dir(launch.Name), "--processor-dedup-memory=16777216",
		}
	case "dispatcher":
		return []string{
			"dispatcher", "--dispatcher-session-time=" + session, "--dispatcher-allow-networks=127.0.0.0/8",
			"--dispatcher-delivered-dir=" + f.Dir(launch.Name), "--dispatcher-delivered-memory=16777216",
		}
	case "eventlog", "replay":
		return []string{launch.Role, "run", f.ClickHouseFlag()}
	}
	return []string{"api", f.ClickHouseFlag(), "--api-listen=" + serves, "--api-ingest-url=http://ingest.invalid"}
}

// AwaitReady waits until the process does its work.
func (p *Process) AwaitReady() {
	p.fleet.t.Helper()
	rig.Eventually(p.fleet.t, p.Name+" is ready", func() error {
		err := p.Ready()
		if ended := new(endedError); errors.As(err, &ended) {
			p.fleet.t.Fatalf("%s: %v", p.Name, err)
		}
		return err
	})
}

// endedError says that there is no process to ask any more.
type endedError struct{ how error }

func (e *endedError) Error() string { return fmt.Sprintf("it ended: %v", e.how) }

// Ready asks the process whether it does its work.
func (p *Process) Ready() error {
	select {
	case err := <-p.exited:
		p.exited <- err
		return &endedError{err}
	default:
	}
	answer, err := rig.Request("GET", p.AdminURL+"/readyz", nil, nil)
	if err == nil && answer.Status != 200 {
		err = fmt.Errorf("%d %s", answer.Status, answer.Body)
	}
	return err
}

// Kill ends the process as a crash does, and waits until it is gone.
func (p *Process) Kill() {
	p.fleet.t.Helper()
	delete(p.fleet.byName, p.Name)
	if err := p.command.Process.Kill(); err != nil {
		p.fleet.t.Errorf("%s ended before it was killed: %v", p.Name, err)
	}
	if err := <-p.exited; err == nil {
		p.fleet.t.Errorf("%s ended on its own, in good order, before it was killed", p.Name)
	}
}

// End asks the process to end, which it must do without an error, and returns how long it took.
func (p *Process) End() time.Duration {
	p.fleet.t.Helper()
	delete(p.fleet.byName, p.Name)
	started := time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.fleet.t.Fatalf("%s ended on its own: %v", p.Name, err)
	}
	select {
	case err := <-p.exited:
		if err != nil {
			p.fleet.t.Errorf("%s ended with %v", p.Name, err)
		}
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		p.fleet.t.Fatalf("%s does not end", p.Name)
	}
	return time.Since(started)
}

// Freeze stops the process, as a machine that hangs does, until Thaw.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw lets it go on as if nothing had been.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(signal os.Signal) {
	p.fleet.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.fleet.t.Fatalf("%s ended on its own: %v", p.Name, err)
	}
}

// Log returns what this process has printed.
func (p *Process) Log() string { return p.log.String() }

// PeakMemory returns the most memory that the process has had at a time, in bytes.
func (p *Process) PeakMemory() int64 {
	p.fleet.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.fleet.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if fields[0] == "VmHWM:" {
			size, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				p.fleet.t.Fatal(err)
			}
			return size << 10
		}
	}
	p.fleet.t.Fatalf("no VmHWM in the status of %s", p.Name)
	return 0
}
