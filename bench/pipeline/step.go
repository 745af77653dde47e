package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/millrace/millrace/bench/load/openloop"
)

// Step is what was measured at one rate.
type Step struct {
	Asked, Reached float64 // events per second
	Seconds        float64
	Events         int
	Repeats        int
	Answers        map[int]int
	Runs           int // that the events make, each once
	Missing        int // runs that never came
	Again          int // deliveries of runs that had come before
	Post, Delivery Times
	Drained        float64 // seconds from the last answer until no group was behind
	Lag            []Behind
	Parts          []PartUse
	Others         float64 // cores that everything else on the machine took
	Topics         []Topic
}

// Times are quantiles in milliseconds.
type Times struct{ P50, P90, P99, P999, Max float64 }

func times(h *hdrhistogram.Histogram) Times {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Times{at(50), at(90), at(99), at(99.9), float64(h.Max()) / 1000}
}

// drainPatience is how long the pipeline may take to work off what is left when posting has ended.
const drainPatience = 5 * time.Minute

// measure posts at a rate, first to warm up and then to measure, and waits until all of it has gone all the way.
func (w *world) measure(ctx context.Context, rate float64, warmUp, length time.Duration) (Step, error) {
	pace := openloop.Pace{
		Address: w.ingest, Path: w.endpoint.Path, Rate: rate, Connections: w.settings.connections,
		WarmUp: int(rate * warmUp.Seconds()), Events: int(rate * length.Seconds()),
	}
	sizes, err := w.topicSizes(ctx)
	if err != nil {
		return Step{}, err
	}
	began := time.Now().Add(100 * time.Millisecond).Truncate(time.Microsecond)
	from, to := openloop.Due(began, pace.WarmUp, rate), openloop.Due(began, pace.WarmUp+pace.Events, rate)
	pace.Body = func(n int, buffer []byte) []byte { return w.events.Append(buffer, n, began, rate) }
	if err := w.watch(ctx, from, to); err != nil {
		return Step{}, err
	}
	meter := w.meterFrom(ctx, from)
	lags := w.followLag(ctx)
	profiles := w.profile(ctx, rate, from, to)
	paced, postErr := pace.Post(ctx, began)
	series, lagErr := lags.end()
	meter.mark()
	if err := errors.Join(postErr, lagErr, profiles()); err != nil {
		return Step{}, err
	}
	step := Step{Asked: rate, Reached: paced.Reached(), Seconds: meter.seconds(), Events: pace.Events, Answers: paced.Answers, Post: times(paced.Latency)}
	var firsts int
	firsts, step.Runs = w.events.expected(pace.WarmUp, pace.WarmUp+pace.Events, rate, w.settings.matching)
	step.Repeats = pace.Events - firsts
	if err := w.drain(ctx, &step); err != nil {
		return step, err
	}
	if step.Parts, step.Others, err = meter.read(pace.Events); err != nil {
		return step, err
	}
	after, err := w.topicSizes(ctx)
	if err != nil {
		return step, err
	}
	step.Topics = grown(sizes, after, pace.WarmUp+pace.Events)
	step.Lag = behind(inside(series, from), w.toRead(step), length)
	return step, nil
}

// inside drops what was sampled while warming up.
func inside(series []lag, from time.Time) []lag {
	for len(series) > 0 && series[0].at.Before(from) {
		series = series[1:]
	}
	return series
}

// toRead returns how many records each role had to read.
func (w *world) toRead(step Step) map[string]int64 {
	events, runs := int64(step.Events), int64(step.Runs)
	return map[string]int64{"processor": events, "dispatcher": runs, "eventlog": 2*events + 2*runs}
}

// drain waits until nobody is behind any more, and asks what came.
func (w *world) drain(ctx context.Context, step *Step) error {
	began := time.Now()
	waiting, cancel := context.WithTimeoutCause(ctx, drainPatience, fmt.Errorf("the pipeline was still behind after %s", drainPatience))
	defer cancel()
	err := poll(waiting, func() (bool, error) {
		lag, err := w.lag(waiting)
		return err == nil && lag.total() == 0, err
	})
	if err != nil {
		return err
	}
	step.Drained = time.Since(began).Seconds()
	came, err := w.arrivals(ctx)
	if err != nil {
		return err
	}
	latency, err := hdrhistogram.Decode(came.Latency)
	if err != nil {
		return fmt.Errorf("reading the times of delivery: %w", err)
	}
	step.Delivery, step.Again, step.Missing = times(latency), came.Again, step.Runs-came.Runs
	return nil
}

// longestDelivery is what p99 of the times to delivery may be in a rate that is sustained.
const longestDelivery = time.Second

// problems says why a rate is not sustained; nothing when it is. A sender that falls behind shows in the times, which
// count from when an event was due.
func (s Step) problems() []string {
	var all []string
	if refused := s.Events - s.Answers[http.StatusNoContent]; refused > 0 {
		all = append(all, fmt.Sprintf("%d events were not answered 204", refused))
	}
	if s.Delivery.P99 >= float64(longestDelivery.Milliseconds()) || s.Post.P99 >= float64(longestDelivery.Milliseconds()) {
		all = append(all, fmt.Sprintf("p99 is not below %s", longestDelivery))
	}
	for _, lag := range s.Lag {
		if lag.IsGrowing {
			all = append(all, "the lag of the "+lag.Role+" grows")
		}
	}
	if s.Missing != 0 || s.Again != 0 {
		all = append(all, fmt.Sprintf("%d runs are missing, %d came twice", s.Missing, s.Again))
	}
	return all
}

// settleRate is high enough for the broker's compiler to see its code as hot, and low enough for any machine.
const settleRate = 1000

// settle posts for a while and forgets what it measured: a broker that has just been started takes several times the CPU.
func (w *world) settle(ctx context.Context) error {
	if w.settings.settle <= 0 {
		return nil
	}
	if _, err := w.measure(ctx, settleRate, 0, w.settings.settle); err != nil {
		return fmt.Errorf("letting the parts settle: %w", err)
	}
	return nil
}

// sender is the part that this process is.
func sender() part { return part{"sender", os.Getpid()} }
