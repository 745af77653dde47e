package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// unit is what an event costs that makes no run, and what each run costs on top. It is told from the last step of two
// measurements, one without runs and one with.
type unit struct{ event, run float64 }

// at returns the cost of an event that makes so many runs.
func (u unit) at(runs float64) float64 { return u.event + runs*u.run }

// newUnit leaves a difference below nothing out: it is noise.
func newUnit(without, with, runs float64) unit { return unit{without, max(0, with-without) / runs} }

// costs are the units of a pipeline, in the order of its parts.
type costs struct {
	names []string
	cpu   map[string]unit // microseconds
	all   unit            // of all parts together
	kafka unit            // bytes in all topics
	table unit            // bytes in all tables
}

func readCosts(without, with string) (costs, error) {
	base, err := readResults(without)
	if err != nil {
		return costs{}, err
	}
	more, err := readResults(with)
	if err != nil {
		return costs{}, err
	}
	first, second := base.Steps[len(base.Steps)-1], more.Steps[len(more.Steps)-1]
	runs := float64(second.Runs) / float64(second.Events)
	if first.Runs > 0 || runs == 0 {
		return costs{}, fmt.Errorf("%s must have no runs (-matching=0) and %s some", without, with)
	}
	c := costs{cpu: map[string]unit{}}
	for i, part := range first.Parts {
		if !part.isMeasured() || part.Name == "api" { // the api has no part in an event
			continue
		}
		u := newUnit(part.MicrosPerEvent, second.Parts[i].MicrosPerEvent, runs)
		c.names = append(c.names, part.Name)
		c.cpu[part.Name] = u
		c.all = unit{c.all.event + u.event, c.all.run + u.run}
	}
	c.kafka = newUnit(allTopics(first), allTopics(second), runs)
	c.table = newUnit(allTables(base), allTables(more), runs)
	return c, nil
}

func readResults(path string) (results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return results{}, err
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return results{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(r.Steps) == 0 {
		return results{}, errors.New(path + " has no step")
	}
	return r, nil
}

func allTopics(s Step) (bytes float64) {
	for _, topic := range s.Topics {
		bytes += topic.BytesPerEvent
	}
	return bytes
}

func allTables(r results) (bytes float64) {
	for _, table := range r.Tables {
		bytes += table.BytesPerEvent
	}
	return bytes
}

// The assumptions of a plan, which docs/capacity.md gives reasons for.
const (
	busy          = 0.6 // of a core, on average: the rest is for peaks and for catching up
	replicas      = 3   // of a partition
	replicaFactor = 2   // of the brokers' CPU, for the replicas; not measured
	logFactor     = 2   // of ClickHouse's CPU, for a second replica and for queries; not measured
	kafkaDays     = 3
	tableDays     = 30
	indexMemory   = 5.4 // bytes of memory for each ID that an index remembers
	indexDisk     = 24  // and of disk
	dedupHours    = 25  // a window of 24 hours, and the hour that clocks may differ by
	windowHours   = 72  // of the index of delivered runs
)

// plan prints what to order for round rates, as the tables of docs/capacity.md are.
func plan(files string, runs float64) error {
	without, with, found := strings.Cut(files, ",")
	if !found {
		return errors.New("-plan takes two files of -steps: one measured with -matching=0, and one with runs")
	}
	c, err := readCosts(without, with)
	if err != nil {
		return err
	}
	c.printUnits()
	rates := []float64{1e3, 1e4, 1e5, 1e6}
	fmt.Printf("\nwith %g runs an event:\n| | 1,000/s | 10,000/s | 100,000/s | 1,000,000/s |\n|---|---|---|---|---|\n", runs)
	line := func(name, format string, value func(rate float64) float64) {
		fmt.Printf("| %s |", name)
		for _, rate := range rates {
			fmt.Printf(" "+format+" |", value(rate))
		}
		fmt.Println()
	}
	factors := map[string]float64{"Kafka": replicaFactor, "ClickHouse": logFactor}
	for _, name := range c.names {
		line("cores: "+name, "%.2f", func(rate float64) float64 {
			return rate * c.cpu[name].at(runs) / 1e6 / busy * max(1, factors[name])
		})
	}
	seconds := 24 * time.Hour.Seconds()
	fmt.Printf("| all on 2 cores | %.0f events/s in all | | | |\n", 2*busy*1e6/c.all.at(runs))
	line("Kafka's disks, TB", "%.2f", func(rate float64) float64 { return rate * c.kafka.at(runs) * kafkaDays * seconds * replicas / 1e12 })
	line("ClickHouse's disks, TB a replica", "%.2f", func(rate float64) float64 { return rate * c.table.at(runs) * tableDays * seconds / 1e12 })
	line("dedup, GB of memory in all", "%.2f", func(rate float64) float64 { return rate * dedupHours * 3600 * indexMemory / 1e9 })
	line("dedup, GB of disk in all", "%.2f", func(rate float64) float64 { return rate * dedupHours * 3600 * indexDisk / 1e9 })
	line("delivered runs, GB of memory in each dispatcher", "%.2f", func(rate float64) float64 { return rate * runs * windowHours * 3600 * indexMemory / 1e9 })
	line("delivered runs, GB of disk in each dispatcher", "%.2f", func(rate float64) float64 { return rate * runs * windowHours * 3600 * indexDisk / 1e9 })
	line("into Kafka, MB/s before replication", "%.1f", func(rate float64) float64 { return rate * c.kafka.at(runs) / 1e6 })
	return nil
}

func (c costs) printUnits() {
	fmt.Print("| | an event | a run on top | events/s per core without a run | with one |\n|---|---|---|---|---|\n")
	for _, name := range c.names {
		u := c.cpu[name]
		fmt.Printf("| %s | %.0f µs | %.0f µs | %.0f | %.0f |\n", name, u.event, u.run, 1e6/u.event, 1e6/u.at(1))
	}
	fmt.Printf("| together | %.0f µs | %.0f µs | %.0f | %.0f |\n", c.all.event, c.all.run, 1e6/c.all.event, 1e6/c.all.at(1))
	fmt.Printf("| all topics | %.0f B | %.0f B | | |\n| all tables | %.0f B | %.0f B | | |\n", c.kafka.event, c.kafka.run, c.table.event, c.table.run)
}
