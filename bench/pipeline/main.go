// Command pipeline measures the whole pipeline at given rates, each role in a process of its own, on the running Apache
// Kafka (or as one `millrace dev`) and on the embedded ClickHouse. Of each rate it prints the times of POST and delivery,
// whether a lag grows, and CPU, memory and bytes of each part; with -find it looks for the highest rate that is sustained.
// It is bounded in time and ends what it started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/millrace/millrace/embedded/chdb"
)

// settings are what the command line says.
type settings struct {
	rates       []float64
	length      time.Duration
	warmUp      time.Duration
	settle      time.Duration
	connections int

	events   string // the file of templates
	variants int
	repeats  float64
	triggers int
	matching int
	only     string

	isEmbedded bool
	kafka      string // host:port
	partitions int
	guarantee  string
	binary     string
	library    string
	profile    string
	outputs    outputs
	stepsFile  string // what is drawn and told of, in place of measuring
	limit      time.Duration

	isFinding bool
	precision float64

	planFiles string
	planRuns  float64
}

func main() {
	if chdb.IsChild() {
		exit(runEngine())
	}
	if len(os.Args) == 3 && os.Args[1] == workflowAPIArgument {
		exit(serveWorkflowAPI(os.Args[2]))
	}
	s, err := parse()
	if err != nil {
		exit(err)
	}
	if s.planFiles != "" {
		exit(plan(s.planFiles, s.planRuns))
	}
	if s.stepsFile != "" {
		exit(tell(s.stepsFile, s.outputs))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("it took longer than -limit=%s", s.limit))
	defer cancel()
	exit(run(ctx, s))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/pipeline:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse() (settings, error) {
	var s settings
	rates := flag.String("rates", "100,1000,3000", "events per second, one step each; with -find the last is where it begins")
	flag.DurationVar(&s.length, "for", 30*time.Second, "how long each rate is measured")
	flag.DurationVar(&s.warmUp, "warm-up", 5*time.Second, "how long each rate is posted before it is measured")
	flag.DurationVar(&s.settle, "settle", 20*time.Second, "how long all parts run at 1,000 events/s before the first rate")
	flag.IntVar(&s.connections, "connections", 256, "connections of the sender")
	flag.StringVar(&s.events, "events", "schemas/testdata/track-events.ndjson", "templates of the events, one a line")
	flag.IntVar(&s.variants, "variants", 100, "of each template so many bodies with other digits in their properties and users; 1 is the template alone")
	flag.Float64Var(&s.repeats, "repeats", 0.1, "part of the events that are posted a second time")
	flag.IntVar(&s.triggers, "triggers", 10, "triggers, each bound to every event")
	flag.IntVar(&s.matching, "matching", 1, "of these so many match; each makes a run")
	flag.StringVar(&s.only, "only", "", "the one event name that those are bound to; empty is every event")
	flag.BoolVar(&s.isEmbedded, "embedded", false, "measure one `millrace dev` with the embedded Kafka")
	flag.StringVar(&s.kafka, "kafka", "127.0.0.1:"+environment("KAFKA_PORT", "19092"), "host:port of the running Apache Kafka (make kafka-up)")
	flag.IntVar(&s.partitions, "partitions", 6, "partitions of each topic")
	flag.StringVar(&s.guarantee, "guarantee", "exactly_once", "the processor's guarantee on Apache Kafka")
	flag.StringVar(&s.binary, "binary", filepath.Join("bin", "millrace"), "the millrace to measure")
	flag.StringVar(&s.library, "library-dir", filepath.Join(".millrace", "lib"), "where the ClickHouse engine library is")
	flag.StringVar(&s.profile, "profile", "", "a directory that a CPU profile of each role at each rate is written to")
	flag.StringVar(&s.outputs.steps, "steps", "", "a file that everything that was measured is written to")
	flag.StringVar(&s.outputs.rows, "json", "", "a file that the rows for the table of `make bench` are written to")
	flag.StringVar(&s.outputs.plots, "plots", "", "what the names of two drawings begin with, which -latency.svg and -cost.svg are added to")
	flag.StringVar(&s.stepsFile, "from", "", "measure nothing; write -json and -plots from a file of -steps")
	flag.DurationVar(&s.limit, "limit", 30*time.Minute, "how long all may take")
	flag.BoolVar(&s.isFinding, "find", false, "look for the highest rate with p99 to delivery below 1 s and no lag that grows")
	flag.Float64Var(&s.precision, "precision", 1.1, "with -find: until the lowest rate that was too high is at most so many times the highest that was not")
	flag.StringVar(&s.planFiles, "plan", "", "measure nothing; print what to order for 1,000 to 1,000,000 events/s, from two files of -steps: one measured with -matching=0, one with runs")
	flag.Float64Var(&s.planRuns, "plan-runs", 0.1, "with -plan: runs an event")
	flag.Parse()
	for field := range strings.SplitSeq(*rates, ",") {
		rate, err := strconv.ParseFloat(field, 64)
		if err != nil || rate <= 0 {
			return s, fmt.Errorf("-rates: %q is no number of events per second", field)
		}
		s.rates = append(s.rates, rate)
	}
	if s.repeats < 0 || s.repeats >= 1 || s.matching > s.triggers || s.matching > maxMatching || s.variants < 1 || s.precision <= 1 {
		return s, fmt.Errorf("-repeats must be below 1, -matching at most -triggers and %d, -variants at least 1, -precision above 1", maxMatching)
	}
	if s.profile != "" {
		return s, absolute(&s.binary, &s.library, &s.profile)
	}
	return s, absolute(&s.binary, &s.library)
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func absolute(paths ...*string) error {
	var err error
	for _, path := range paths {
		var failed error
		*path, failed = filepath.Abs(*path)
		err = errors.Join(err, failed)
	}
	return err
}

// run starts the pipeline, measures, and ends it, also when measuring failed.
func run(ctx context.Context, s settings) (err error) {
	events, err := readEvents(s)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "millrace-pipeline-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w, err := newWorld(ctx, s, events, dir)
	if err != nil {
		return err
	}
	defer w.close()
	results := results{Machine: w.machine(ctx), Mix: w.events.describe(s), Command: strings.Join(os.Args[1:], " "), IsEmbedded: s.isEmbedded}
	results.printHead()
	if err := w.settle(ctx); err != nil {
		return err
	}
	if s.isFinding {
		err = find(ctx, w, &results)
	} else {
		err = measureEach(ctx, w, &results)
	}
	if err == nil {
		results.Tables, err = w.tables(ctx)
		results.printTables()
	}
	results.printSummary()
	return errors.Join(err, s.outputs.write(&results))
}

func measureEach(ctx context.Context, w *world, results *results) error {
	for _, rate := range w.settings.rates {
		step, err := w.measure(ctx, rate, w.settings.warmUp, w.settings.length)
		if err != nil {
			return fmt.Errorf("at %g events/s: %w", rate, err)
		}
		step.print()
		results.Steps = append(results.Steps, step)
	}
	return nil
}
