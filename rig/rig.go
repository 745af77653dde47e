// Package rig is what the end-to-end tests stand on: it builds the binary, runs `millrace dev` as a process of its own
// on free ports and a fresh data directory, stops it, kills it, starts it again, and speaks HTTP to it. A test waits for
// conditions, never for time. When a test fails the rig prints the process's log and keeps the data directory. It also
// decides for every test on which Kafka it runs (Kafka, in backend.go).
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/lifetime"
)

// patience is how long a condition may take to come true. It bounds a failing test, it is no expectation.
const patience = 60 * time.Second

// Pipeline is one `millrace dev`.
type Pipeline struct {
	IngestURL   string // http://127.0.0.1:PORT
	APIURL      string
	ConsoleURL  string
	ReceiverURL string
	AdminURL    string // of /readyz and /metrics
	ClickHouse  string // the read-only HTTP interface
	Kafka       string // host:port
	TopicPrefix string // what the names of its topics begin with

	t       testing.TB
	binary  string
	dataDir string
	flags   []string
	log     *Buffer
	process *exec.Cmd
	exited  chan error

	fetchContract sync.Mutex // guards fetched
	fetched       *Contract
}

// Start runs a pipeline for the length of the test and waits until it is ready. Flags are added to the command line.
func Start(t testing.TB, flags ...string) *Pipeline {
	t.Helper()
	p := &Pipeline{t: t, binary: Binary(t), dataDir: dataDir(t), log: &Buffer{}, TopicPrefix: "millrace."}
	ingest, api, console, admin := FreeAddr(t), FreeAddr(t), FreeAddr(t), FreeAddr(t)
	receiver, clickhouse, kafka := FreeAddr(t), FreeAddr(t), FreeAddr(t)
	p.IngestURL, p.APIURL, p.ConsoleURL = "http://"+ingest, "http://"+api, "http://"+console
	p.ReceiverURL, p.ClickHouse, p.AdminURL = "http://"+receiver, "http://"+clickhouse, "http://"+admin
	p.Kafka = kafka
	p.flags = []string{
		"dev", "--data-dir=" + p.dataDir, "--library-dir=" + LibraryDir(t), "--ingest-listen=" + ingest, "--api-listen=" + api,
		"--console-listen=" + console, "--receiver-listen=" + receiver, "--embedded-clickhouse-listen=" + clickhouse, "--embedded-kafka-listen=" + kafka, "--admin-listen=" + admin,
	}
	p.flags = append(append(p.flags, p.kafkaFlags()...), flags...)
	t.Cleanup(p.cleanUp)
	p.Restart()
	return p
}

// kafkaFlags point the pipeline to the broker that the tests share, if they do.
func (p *Pipeline) kafkaFlags() []string {
	p.t.Helper()
	if _, shared := sharedBroker(p.t); !shared {
		return nil
	}
	cluster := Kafka(p.t)
	p.Kafka, p.TopicPrefix = cluster.Brokers[0], cluster.TopicPrefix
	return []string{
		"--kafka-brokers=" + p.Kafka, "--kafka-topic-prefix=" + cluster.TopicPrefix, "--kafka-topics-partitions=3",
		"--processor-guarantee=exactly_once",
	}
}

// Restart starts the process again on the same data and waits until it is ready.
func (p *Pipeline) Restart() {
	p.t.Helper()
	p.process = exec.Command(p.binary, p.flags...)
	p.process.Stdout, p.process.Stderr = p.log, p.log
	lifetime.EndWithParent(p.process)
	if err := p.process.Start(); err != nil {
		p.t.Fatalf("starting %s: %v", p.binary, err)
	}
	process, exited := p.process, make(chan error, 1)
	p.exited = exited
	go func() { exited <- process.Wait() }()
	p.Eventually("the pipeline is ready", func() error {
		select {
		case err := <-exited:
			p.process = nil
			p.t.Fatalf("millrace dev ended while starting: %v", err)
		default:
		}
		return p.ready()
	})
}

func (p *Pipeline) ready() error {
	for _, url := range []string{p.IngestURL + "/readyz", p.APIURL + "/api/v1/sources/demo", p.APIURL + "/api/v1/events?limit=1", p.ConsoleURL + "/healthz"} {
		if err := p.ok(url); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends the process with SIGKILL, as a crash does, and waits until it is gone.
func (p *Pipeline) Kill() {
	p.t.Helper()
	if err := p.process.Process.Kill(); err != nil {
		p.t.Fatalf("killing millrace: %v", err)
	}
	if err := <-p.exited; err == nil {
		p.t.Error("millrace ended on its own, in good order, before it was killed")
	}
	p.process = nil
}

// Stop ends the process as ctrl-C does and returns how long that took. It must end without an error.
func (p *Pipeline) Stop() time.Duration {
	p.t.Helper()
	started := time.Now()
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatalf("stopping millrace: %v", err)
	}
	select {
	case err := <-p.exited:
		if err != nil {
			p.t.Fatalf("millrace ended with: %v", err)
		}
	case <-time.After(patience):
		p.t.Fatal("millrace did not stop")
	}
	p.process = nil
	return time.Since(started)
}

// DataDir returns where the process keeps everything.
func (p *Pipeline) DataDir() string { return p.dataDir }

// Log returns what the process has printed so far.
func (p *Pipeline) Log() string { return p.log.String() }

func (p *Pipeline) cleanUp() {
	if p.process != nil {
		p.Kill()
	}
	if p.t.Failed() {
		p.t.Logf("data directory kept: %s\nlog of millrace dev:\n%s", p.dataDir, p.Log())
		return
	}
	if err := os.RemoveAll(p.dataDir); err != nil {
		p.t.Errorf("removing the data directory: %v", err)
	}
}

func dataDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "millrace-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Root returns the repository's root.
func Root(t testing.TB) string {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("asking go for the module: %v", err)
	}
	return filepath.Dir(string(bytes.TrimSpace(out)))
}

// LibraryDir returns where the ClickHouse engine library is kept, so that all tests share one download.
func LibraryDir(t testing.TB) string {
	if dir := os.Getenv("MILLRACE_LIBRARY_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(Root(t), ".millrace", "lib")
}

// Binary builds millrace once for each test process, with the race detector when the test itself has it, and returns
// its path. MILLRACE_BINARY names one that is built already.
func Binary(t testing.TB) string {
	if path := os.Getenv("MILLRACE_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(Root(t), "bin", "millrace")
	build := exec.Command("go", "build", "-o", path, "./cmd/millrace")
	build.Dir = Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building millrace: %v\n%s", err, out)
	}
	return path
}

// Eventually waits until condition returns nil, and fails the test with its last error when patience ends.
func (p *Pipeline) Eventually(what string, condition func() error) {
	p.t.Helper()
	Eventually(p.t, what, condition)
}

// Eventually is the method of the same name, for tests without a Pipeline.
func Eventually(t testing.TB, what string, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := poll(ctx, condition); err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}

func poll(ctx context.Context, condition func() error) error {
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("gave up after %s", patience), err)
		case <-ticks.C:
		}
	}
}

// Buffer collects what processes or goroutines write at the same time. The zero value is empty.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
