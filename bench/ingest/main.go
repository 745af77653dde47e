// Command ingest measures how many events a second ingest takes, each acknowledged by Kafka, beside the least that a server
// could do, a bare prototype of the same idea, and a peer: each a process of its own on one broker, in turn, round after round,
// because machines are noisy. It prints requests a second, the server's CPU time a request, the times of an open loop, and
// ingest's ratio to each. It is bounded in time and ends what it started.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/millrace/millrace/bench/load/mix"
	"github.com/millrace/millrace/bench/results"
)

func main() {
	if isChild() {
		exitOn(runChild(os.Args[2:]))
		return
	}
	s, err := parse(os.Args[1:])
	exitOn(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("it took longer than -limit=%s", s.limit))
	defer cancel()
	exitOn(run(ctx, s))
}

func isChild() bool { return len(os.Args) > 1 && os.Args[1] == childArgument }

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/ingest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	events, err := mix.Read(mix.Options{File: s.events, Variants: 1, Seed: uint64(time.Now().UnixNano())})
	if err != nil {
		return err
	}
	w, err := newWorld(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	contenders, err := w.startContenders(ctx)
	if err != nil {
		return err
	}
	var rows []results.Row
	for _, connections := range s.connections {
		measured, err := inTurn(ctx, s.rounds, contenders, func(ctx context.Context, c *contender) (turn, error) {
			return c.measureThroughput(ctx, s, events, connections)
		})
		if err != nil {
			return fmt.Errorf("%d connections: %w", connections, err)
		}
		what := fmt.Sprintf("%d connections, %s", connections, w.broker)
		printThroughput(os.Stdout, what, contenders, measured)
		rows = append(rows, throughputRows(what, contenders, measured)...)
	}
	if s.rate > 0 {
		measured, err := inTurn(ctx, s.rounds, contenders, func(ctx context.Context, c *contender) (turn, error) {
			return c.measureLatency(ctx, s, events)
		})
		if err != nil {
			return fmt.Errorf("%g requests/s: %w", s.rate, err)
		}
		what := fmt.Sprintf("%g requests/s, %s", s.rate, w.broker)
		printLatency(os.Stdout, what, contenders, measured)
		rows = append(rows, latencyRows(what, contenders, measured)...)
	}
	return results.Write(s.json, rows)
}

// inTurn lets the contenders take turns, and returns the medians of each, in their order.
func inTurn(ctx context.Context, rounds int, contenders []*contender, measure func(context.Context, *contender) (turn, error)) ([]turn, error) {
	turns := make([][]turn, len(contenders))
	for range rounds {
		for i, c := range contenders {
			done, err := measure(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			turns[i] = append(turns[i], done)
		}
	}
	medians := make([]turn, len(contenders))
	for i := range turns {
		medians[i] = medianOf(turns[i])
	}
	return medians, nil
}
