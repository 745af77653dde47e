package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/millrace/millrace/bench/load/openloop"
)

func printReport(out io.Writer, s settings, paced openloop.Paced) {
	total := paced.Latency.TotalCount()
	if total == 0 {
		fmt.Fprintln(out, "no event was answered")
		return
	}
	fmt.Fprintf(out, "%d events in %.1f s, %.1f a second", total, paced.Last.Sub(paced.Began).Seconds(), paced.Reached())
	if !s.isClosed() {
		fmt.Fprintf(out, " of %g", s.rate)
	}
	fmt.Fprintln(out)
	for _, status := range slices.Sorted(maps.Keys(paced.Answers)) {
		name := http.StatusText(status)
		if status == 0 {
			name = "no answer"
		}
		fmt.Fprintf(out, "  %3d %-24s %d\n", status, name, paced.Answers[status])
	}
	from := "when an event was due"
	if s.isClosed() {
		from = "when an event was sent, which a slow answer puts off"
	}
	fmt.Fprintf(out, "times from %s, in ms:\n", from)
	for _, quantile := range []float64{50, 90, 99, 99.9} {
		fmt.Fprintf(out, "  p%-5g %9.2f\n", quantile, float64(paced.Latency.ValueAtQuantile(quantile))/perMilli)
	}
	fmt.Fprintf(out, "  %-6s %9.2f\n", "max", float64(paced.Latency.Max())/perMilli)
}

// perMilli is how many of the histogram's units a millisecond has.
const perMilli = 1000

// refusals is an error where not all events were taken.
func refusals(paced openloop.Paced) error {
	refused := 0
	for status, count := range paced.Answers {
		if status < 200 || status > 299 {
			refused += count
		}
	}
	if refused == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d events were not taken", refused, paced.Latency.TotalCount())
}

// ticks is how many lines the distribution has for each halving of what is above.
const ticks = 5

func writeHistogram(path string, times *hdrhistogram.Histogram) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing the distribution: %w", err)
	}
	if _, err := times.PercentilesPrint(file, ticks, perMilli); err != nil {
		return errors.Join(fmt.Errorf("writing the distribution: %w", err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the distribution: %w", err)
	}
	return nil
}
