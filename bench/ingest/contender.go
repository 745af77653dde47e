package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/bench/load/mix"
	"github.com/millrace/millrace/bench/load/openloop"
)

// The contenders. All but Benthos are this program in a process of its own.
const (
	bareFiber      = "fiber"     // answers 204 to anything
	validFiber     = "validity"  // and looks whether it is JSON
	prototype      = "prototype" // and puts it into Kafka
	keyedPrototype = "keyed"     // with a key
	ours           = "millrace"
	unlingered     = "unlingered" // ours, which sends an event at once, as benthos does
	benthos        = "benthos"
	untunedBenthos = "untuned"
)

func allNames() []string {
	return []string{bareFiber, validFiber, prototype, keyedPrototype, ours, unlingered, benthos, untunedBenthos}
}

// contender is a server that takes events.
type contender struct {
	name string
	says string // what it is, for tables
	goal float64
	// maxInFlight is how many events Benthos sends together, each of which waits for Kafka on its own: its one setting that
	// matters. 0 is another server.
	maxInFlight int
	*server
}

// collection is how rarely every contender collects garbage: as rarely as the binary does, so that no ratio comes from that.
const collection = "GOGC=400"

// startContenders starts those that are wanted, which then wait for their turns.
func (w *world) startContenders(ctx context.Context) ([]*contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := []*contender{
		{name: bareFiber, says: "fiber that answers 204"},
		{name: validFiber, says: "fiber with a JSON check"},
		{name: prototype, says: "prototype", goal: 0.95},
		{name: keyedPrototype, says: "prototype, events with keys"},
		{name: ours, says: "Millrace"},
		{name: unlingered, says: "Millrace with --ingest-linger=0"},
		{name: benthos, goal: 3, maxInFlight: 1024},      // as many as there may be connections
		{name: untunedBenthos, goal: 3, maxInFlight: 10}, // what it is when nobody sets it
	}
	all = slices.DeleteFunc(all, func(c *contender) bool { return !slices.Contains(w.settings.only, c.name) })
	for _, c := range all {
		profile := ""
		if w.settings.profiles != "" {
			profile = filepath.Join(w.settings.profiles, c.name+".prof")
		}
		if c.maxInFlight > 0 {
			err = w.startBenthos(ctx, c, profile)
		} else {
			command := exec.Command(self, childArgument, c.name, w.cluster.Brokers[0], w.cluster.TopicPrefix, profile)
			command.Env = append(os.Environ(), collection)
			c.server, err = w.startServer(command)
		}
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
	}
	return all, nil
}

// startBenthos starts the peer, which listens where it is told.
func (w *world) startBenthos(ctx context.Context, c *contender, profile string) error {
	binary := filepath.Join(w.settings.peers, benthos, benthos)
	version, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return fmt.Errorf("%w; is it built (make benthos)?", err)
	}
	c.says = fmt.Sprintf("Benthos %s (later Redpanda Connect), max_in_flight %d", strings.TrimSpace(string(version)), c.maxInFlight)
	address, err := freeAddress()
	if err != nil {
		return err
	}
	command := exec.Command(binary, address, w.cluster.Brokers[0], w.topic(), strconv.Itoa(c.maxInFlight), profile)
	command.Env = append(os.Environ(), collection)
	c.server, err = w.startPeer(ctx, command, address, "/post")
	return err
}

// turn is what one contender did in one turn, or in the median.
type turn struct {
	perSecond   float64 // requests
	cpuMicros   float64 // the server's CPU time for each
	median, p99 float64 // milliseconds from when a request was due to its answer
}

// measureThroughput keeps connections busy for a while.
func (c *contender) measureThroughput(ctx context.Context, s settings, events *mix.Mix, connections int) (turn, error) {
	// The rate only decides on the time in a message ID.
	began := time.Now()
	loop := openloop.Closed{
		Address: c.address, Path: c.path, Connections: connections, Length: s.warmUp,
		Body: func(n int, buffer []byte) []byte { return events.Append(buffer, n, began, 1000) },
	}
	if s.warmUp > 0 {
		if _, err := loop.Post(ctx); err != nil {
			return turn{}, err
		}
	}
	before, err := c.cpu()
	if err != nil {
		return turn{}, err
	}
	loop.Length = s.length
	paced, err := loop.Post(ctx)
	if err != nil {
		return turn{}, err
	}
	after, err := c.cpu()
	if err != nil {
		return turn{}, err
	}
	return turn{
		perSecond: paced.Reached(),
		cpuMicros: float64((after - before).Microseconds()) / float64(paced.Latency.TotalCount()),
	}, allTaken(paced)
}

// measureLatency posts at a rate, whatever the answers do.
func (c *contender) measureLatency(ctx context.Context, s settings, events *mix.Mix) (turn, error) {
	began := time.Now()
	paced, err := openloop.Pace{
		Address: c.address, Path: c.path, Rate: s.rate, Connections: openLoopConnections,
		WarmUp: int(s.rate * s.warmUp.Seconds()), Events: int(s.rate * s.length.Seconds()),
		Body: func(n int, buffer []byte) []byte { return events.Append(buffer, n, began, s.rate) },
	}.Post(ctx, began)
	if err != nil {
		return turn{}, err
	}
	at := func(quantile float64) float64 { return float64(paced.Latency.ValueAtQuantile(quantile)) / 1000 }
	return turn{median: at(50), p99: at(99)}, allTaken(paced)
}

// allTaken fails unless every answer was 204, or 200, which the peer gives: anything else would be another comparison.
func allTaken(paced openloop.Paced) error {
	if len(paced.Answers) == 0 {
		return errors.New("nothing was answered")
	}
	for status, count := range paced.Answers {
		if status != 204 && status != 200 {
			return fmt.Errorf("%d requests were answered %d", count, status)
		}
	}
	return nil
}
