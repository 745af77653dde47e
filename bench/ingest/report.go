package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/millrace/millrace/bench/results"
)

// medianOf takes the median of each figure on its own.
func medianOf(turns []turn) turn {
	of := func(figure func(turn) float64) float64 { return results.Median(turns, figure) }
	return turn{
		perSecond: of(func(t turn) float64 { return t.perSecond }),
		cpuMicros: of(func(t turn) float64 { return t.cpuMicros }),
		median:    of(func(t turn) float64 { return t.median }),
		p99:       of(func(t turn) float64 { return t.p99 }),
	}
}

// ourTurn finds Millrace's.
func ourTurn(contenders []*contender, turns []turn) turn {
	return turns[slices.IndexFunc(contenders, func(c *contender) bool { return c.name == ours })]
}

func printThroughput(out io.Writer, what string, contenders []*contender, turns []turn) {
	mine := ourTurn(contenders, turns)
	fmt.Fprintf(out, "%s\n  requests/s  Millrace's ratio  us CPU a request  ratio\n", what)
	for i, c := range contenders {
		fmt.Fprintf(out, "  %10.0f  %16.2f  %16.1f  %5.2f  %s\n", turns[i].perSecond, mine.perSecond/turns[i].perSecond,
			turns[i].cpuMicros, mine.cpuMicros/turns[i].cpuMicros, c.says)
	}
}

func printLatency(out io.Writer, what string, contenders []*contender, turns []turn) {
	mine := ourTurn(contenders, turns)
	fmt.Fprintf(out, "%s, open loop: from when a request was due to its answer\n  p50 ms  Millrace's ratio  p99 ms  ratio\n", what)
	for i, c := range contenders {
		fmt.Fprintf(out, "  %6.2f  %16.2f  %6.2f  %5.2f  %s\n", turns[i].median, mine.median/turns[i].median,
			turns[i].p99, mine.p99/turns[i].p99, c.says)
	}
}

const section = "ingest"

func throughputRows(what string, contenders []*contender, turns []turn) []results.Row {
	mine := ourTurn(contenders, turns)
	var rows []results.Row
	for i, c := range contenders {
		if c.name == ours {
			continue
		}
		rows = append(rows,
			results.Row{
				Section: section, What: "requests, " + what, Unit: "requests/s",
				Ours: mine.perSecond, Beside: c.says, Theirs: turns[i].perSecond, Goal: c.goal,
			},
			results.Row{
				Section: section, What: "CPU time of the server, " + what, Unit: "us a request",
				Ours: mine.cpuMicros, Beside: c.says, Theirs: turns[i].cpuMicros,
			})
	}
	return rows
}

// latencyRows leaves out what does not wait for Kafka, of which the difference is known.
func latencyRows(what string, contenders []*contender, turns []turn) []results.Row {
	mine := ourTurn(contenders, turns)
	var rows []results.Row
	for i, c := range contenders {
		if slices.Contains([]string{ours, bareFiber, validFiber}, c.name) {
			continue
		}
		rows = append(rows,
			results.Row{Section: section, What: "p50, " + what, Unit: "ms", Ours: mine.median, Beside: c.says, Theirs: turns[i].median},
			results.Row{Section: section, What: "p99, " + what, Unit: "ms", Ours: mine.p99, Beside: c.says, Theirs: turns[i].p99})
	}
	return rows
}
