// Command post puts an endpoint under load: events from a file of templates, each with a message ID of its own, some of them
// repeats, over many connections, at a rate that answers do not hold up (an open loop) or as fast as answers come (a closed
// one). It prints the rate that was reached, the answers, and quantiles of the times. It posts no event twice by itself, as
// clients would; `millrace send` does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/millrace/millrace/bench/load/mix"
	"github.com/millrace/millrace/bench/load/openloop"
)

func main() {
	s, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/post:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	events, err := mix.Read(mix.Options{File: s.events, Variants: s.variants, Repeats: s.duplicates, Seed: uint64(time.Now().UnixNano())})
	if err != nil {
		return err
	}
	if err := reach(ctx, s.address); err != nil {
		return err
	}
	var posted atomic.Int64
	endProgress := showProgress(os.Stderr, s, &posted)
	paced, err := post(ctx, s, events, &posted)
	endProgress()
	if err != nil {
		err = errors.New("broken off; the figures are of what was answered until then")
	}
	printReport(os.Stdout, s, paced)
	return errors.Join(err, refusals(paced), writeHistogram(s.histogram, paced.Latency))
}

// dialTime is how long an endpoint may take to accept a connection before anything is posted.
const dialTime = 5 * time.Second

// reach finds out whether anybody listens: of thousands of posts that fail, the reason is hard to see.
func reach(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: dialTime}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("reaching the endpoint: %w; is ingest running there?", err)
	}
	return connection.Close()
}

// repeatRate tells how far behind its origin a repeat comes in a closed loop, whose rate nobody knows before.
const repeatRate = 1000

func post(ctx context.Context, s settings, events *mix.Mix, posted *atomic.Int64) (openloop.Paced, error) {
	began := time.Now().Truncate(time.Microsecond)
	body := func(rate float64) func(int, []byte) []byte {
		return func(n int, buffer []byte) []byte {
			posted.Add(1)
			return events.Append(buffer, n, began, rate)
		}
	}
	if s.isClosed() {
		return openloop.Closed{
			Address: s.address, Path: s.path, Connections: s.connections, WarmUp: s.warmUp, Length: s.length, Body: body(repeatRate),
		}.Post(ctx)
	}
	return openloop.Pace{
		Address: s.address, Path: s.path, Rate: s.rate, Connections: s.connections,
		WarmUp: s.count(s.warmUp), Events: s.count(s.length), Body: body(s.rate),
	}.Post(ctx, began)
}
