package main

import (
	"slices"

	table "github.com/millrace/millrace/bench/results"
)

// goalBesideStreams is how many times as many events a second as Kafka Streams the processor is to take, at Streams' work.
const goalBesideStreams = 3

// outcome is the median of what a contender's runs took.
type outcome struct {
	name   string
	median result
}

// rows puts each form of the processor beside the bare loop and Kafka Streams, as far as they ran.
func rows(outcomes []outcome) []table.Row {
	var all []table.Row
	for _, name := range []string{dedupOnly, withTriggers} {
		for _, peer := range []string{streamsPeer, bareLoop} {
			ours, ran := find(outcomes, name)
			theirs, peerRan := find(outcomes, peer)
			if !ran || !peerRan {
				continue
			}
			rate := table.Row{Section: "processor", What: what(name), Unit: "events/s", Ours: ours.perSecond, Beside: beside(peer), Theirs: theirs.perSecond}
			if name == dedupOnly && peer == streamsPeer {
				rate.Goal = goalBesideStreams
			}
			all = append(all, rate, table.Row{
				Section: "processor", What: what(name), Unit: "us CPU/event", Ours: ours.cpu, Beside: beside(peer), Theirs: theirs.cpu,
			})
		}
	}
	return all
}

func what(name string) string {
	if name == dedupOnly {
		return "dedup, exactly once"
	}
	return "dedup, 10 triggers, exactly once"
}

func beside(peer string) string {
	if peer == streamsPeer {
		return "Kafka Streams, exactly_once_v2"
	}
	return "bare loop, exactly once"
}

func find(outcomes []outcome, name string) (result, bool) {
	at := slices.IndexFunc(outcomes, func(o outcome) bool { return o.name == name })
	if at < 0 {
		return result{}, false
	}
	return outcomes[at].median, true
}
