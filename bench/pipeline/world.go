package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

// world is the pipeline with everything around it.
type world struct {
	settings settings
	events   *events
	dir      string

	parts    []part // in the order of their start
	cluster  kafka.Config
	topics   *kadm.Client
	client   *kgo.Client
	log      driver.Conn // the event log's database
	endpoint *url.URL
	// Addresses that the parts listen on.
	ingest, api, workflows string
	profiled               map[string]string // the admin listeners of the roles, with -profile
	closers                []func()          // in the order of starting
}

// part is a process of which CPU and memory are told.
type part struct {
	name string
	pid  int
}

// newWorld starts everything and returns once an event has gone all the way.
func newWorld(ctx context.Context, s settings, events *events, dir string) (*world, error) {
	w := &world{settings: s, events: events, dir: dir, profiled: make(map[string]string)}
	if err := w.start(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	for _, address := range []*string{&w.ingest, &w.api, &w.workflows} {
		var err error
		if *address, err = freeAddress(); err != nil {
			return err
		}
	}
	if err := kong.ApplyDefaults(&w.cluster); err != nil {
		return err
	}
	start := w.startRoles
	if w.settings.isEmbedded {
		start = w.startDev
	}
	if err := start(ctx); err != nil {
		return err
	}
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("making the source and its triggers: %w", err)
	}
	if err := w.prime(ctx); err != nil {
		return fmt.Errorf("letting a first event through: %w", err)
	}
	return nil
}

// close ends everything, last started first.
func (w *world) close() {
	for last := len(w.closers) - 1; last >= 0; last-- {
		w.closers[last]()
	}
}

// run starts a part. The name is what it is called in the tables.
func (w *world) run(name, program string, args ...string) (*process, error) {
	p, err := startProcess(w.dir, program, args...)
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, p.stop)
	w.parts = append(w.parts, part{name, p.pid()})
	return p, nil
}

// runWorkflowAPI starts this program once more, as the workflow API.
func (w *world) runWorkflowAPI() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = w.run(workflowAPIName, self, workflowAPIArgument, w.workflows)
	return err
}

// connect opens what this process asks Kafka and ClickHouse through.
func (w *world) connect(ctx context.Context, clickhouse eventlog.Config) error {
	client, err := kgo.NewClient(w.cluster.Options()...)
	if err != nil {
		return err
	}
	w.client, w.topics = client, kadm.NewClient(client)
	w.closers = append(w.closers, client.Close)
	w.log, err = eventlog.Connect(ctx, clickhouse)
	if err == nil {
		w.closers = append(w.closers, func() { _ = w.log.Close() }) // only read
	}
	return err
}

// ask asks the workflow API.
func (w *world) ask(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.workflows+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, answer.Status, text)
	}
	return text, err
}

// watch has the workflow API forget what came, and note the runs of the events that are due in between.
func (w *world) watch(ctx context.Context, from, to time.Time) error {
	_, err := w.ask(ctx, fmt.Sprintf("/window?from=%d&to=%d", from.UnixMicro(), to.UnixMicro()))
	return err
}

func (w *world) arrivals(ctx context.Context) (arrivals, error) {
	text, err := w.ask(ctx, "/arrivals")
	if err != nil {
		return arrivals{}, err
	}
	var came arrivals
	return came, json.Unmarshal(text, &came)
}

// freeAddress returns a loopback address that nobody listens on at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// poll asks four times a second until the answer is yes or ctx ends.
func poll(ctx context.Context, isDone func() (bool, error)) error {
	ticks := time.NewTicker(250 * time.Millisecond)
	defer ticks.Stop()
	for {
		done, err := isDone()
		if done || (err != nil && ctx.Err() == nil) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-ticks.C:
		}
	}
}
