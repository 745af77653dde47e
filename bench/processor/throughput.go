package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	table "github.com/millrace/millrace/bench/results"
	"github.com/millrace/millrace/bench/sample"
)

// compareThroughput lets each contender run in turn, round after round, and prints a line for each.
func compareThroughput(ctx context.Context, o options, samples []sample.Sample, dir string) error {
	contenders, closeAll, err := prepare(ctx, o, samples)
	defer closeAll()
	if err != nil {
		return err
	}
	results := make([][]result, len(contenders))
	for round := range o.rounds {
		for i, c := range contenders {
			within, cancel := context.WithTimeout(ctx, o.limit)
			measured, err := c.measure(within, dir, round)
			cancel()
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", c.name, round+1, err)
			}
			fmt.Printf("round %d  %s\n", round+1, line(c.name, measured))
			results[i] = append(results[i], measured)
		}
	}
	outcomes := medians(contenders, results)
	report(outcomes)
	return table.Write(o.json, rows(outcomes))
}

// prepare writes the events twice, for a catalog with triggers and for one without.
func prepare(ctx context.Context, o options, samples []sample.Sample) (contenders []contender, closeAll func(), err error) {
	var worlds []*world
	closeAll = func() {
		for _, w := range worlds {
			w.close()
		}
	}
	for _, kind := range []struct {
		name       string
		triggers   int
		contenders []string
	}{
		{"triggers", 10, []string{withTriggers}},
		{"dedup", 0, []string{dedupOnly, bareLoop, streamsPeer}},
	} {
		if !slices.ContainsFunc(kind.contenders, o.wants) {
			continue
		}
		w, err := newWorld(ctx, o.address, kind.name, kind.triggers)
		if err != nil {
			return nil, closeAll, err
		}
		worlds = append(worlds, w)
		known, err := loadEvents(ctx, w, samples, o.events)
		if err != nil {
			return nil, closeAll, err
		}
		fmt.Printf("%d events, %d distinct, in %d partitions of %s\n", known.events, known.messages, partitions, w.cluster.TopicPrefix)
		for _, name := range kind.contenders {
			switch {
			case !o.wants(name):
			case name == streamsPeer:
				contenders = append(contenders, streams(o.peers, w, known))
			case name == bareLoop:
				contenders = append(contenders, bare(w, known))
			default:
				contenders = append(contenders, ours(name, o.binary, w, known))
			}
		}
	}
	return contenders, closeAll, nil
}

// wants reports whether a contender is to run.
func (o options) wants(name string) bool { return strings.Contains(name, o.only) }

func medians(contenders []contender, turns [][]result) []outcome {
	all := make([]outcome, len(contenders))
	for i, runs := range turns {
		all[i] = outcome{contenders[i].name, result{
			perSecond: table.Median(runs, func(r result) float64 { return r.perSecond }),
			cpu:       table.Median(runs, func(r result) float64 { return r.cpu }),
			peakMiB:   table.Median(runs, func(r result) float64 { return r.peakMiB }),
		}}
	}
	return all
}

// report prints the medians, and the ratios to the last contender, which is the peer.
func report(outcomes []outcome) {
	peer := outcomes[len(outcomes)-1].median
	for _, o := range outcomes {
		fmt.Printf("median   %s   x%.2f events/s, x%.2f CPU, x%.2f memory\n", line(o.name, o.median),
			o.median.perSecond/peer.perSecond, o.median.cpu/peer.cpu, o.median.peakMiB/peer.peakMiB)
	}
}

func line(name string, r result) string {
	return fmt.Sprintf("%-26s %8.0f events/s  %6.2f CPU us/event  %5.0f MiB peak", name, r.perSecond, r.cpu, r.peakMiB)
}
