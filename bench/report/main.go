// Command report runs the benchmarks one after the other, each as a process of its own, and puts the rows that they write
// into one table, which it prints and writes to bench/RESULTS.md with the machine, the versions and the commands. A missed
// goal is said and fails nothing; a section without figures is named, and makes the exit code 1.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings are what the command line says.
type settings struct {
	only    []string // names of sections; empty is all
	isQuick bool
	from    string   // where results are already, in place of running anything
	dir     string   // where the benchmarks write theirs
	out     string   // the document
	plots   string   // the directory of the drawings
	rows    []uint64 // events of the queries, one section each
	logs    string   // where the event logs of the queries stay, when they do
	kafka   string   // host:port of Apache Kafka
}

func main() {
	s, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = report(ctx, s)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/report:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (settings, error) {
	s := settings{kafka: "127.0.0.1:" + cmp.Or(os.Getenv("KAFKA_PORT"), "19092")}
	flags := flag.NewFlagSet("report", flag.ExitOnError)
	only := flags.String("only", "", "sections to run, commas between them: "+strings.Join(names(), ", "))
	flags.BoolVar(&s.isQuick, "quick", false, "short times and few events, for trying it out: the figures mean little")
	flags.StringVar(&s.from, "from", "", "run nothing; make the table of the files in this `directory`, which -dir was")
	flags.StringVar(&s.dir, "dir", ".millrace/bench", "where what the benchmarks write is kept")
	flags.StringVar(&s.out, "out", "bench/RESULTS.md", "the document that is written")
	flags.StringVar(&s.plots, "plots", "bench/plots", "the directory that drawings are written to")
	flags.StringVar(&s.logs, "logs", "", "`directory` in which the event logs that the queries are asked over stay, for a later run to ask at once; empty: they are removed")
	rows := flags.String("rows", "10000000", "events that the queries are asked over, commas between several; 100000000 takes an hour to fill and 40 GB of disk")
	_ = flags.Parse(arguments) // it ends the process when it fails
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q: give flags only", flags.Arg(0))
	}
	if *only != "" {
		s.only = strings.Split(*only, ",")
	}
	for _, name := range s.only {
		if !slices.Contains(names(), name) {
			return s, fmt.Errorf("-only: there is no section %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	for field := range strings.SplitSeq(*rows, ",") {
		count, err := strconv.ParseUint(field, 10, 64)
		if err != nil || count == 0 {
			return s, fmt.Errorf("-rows: %q is no number of events", field)
		}
		s.rows = append(s.rows, count)
	}
	return s, nil
}

// report runs or reads the sections and tells what came out.
func report(ctx context.Context, s settings) error {
	gather := runAll
	if s.from != "" {
		gather = readAll
	}
	setting, outcomes, err := gather(ctx, s)
	if err != nil {
		return err
	}
	entries := entriesOf(outcomes)
	fmt.Printf("\n%s\n", text(entries))
	if err := writeDocument(s.out, setting, outcomes, time.Now()); err != nil {
		return err
	}
	fmt.Println("\nwritten to", s.out)
	return incomplete(outcomes)
}

func incomplete(outcomes []outcome) error {
	var all []string
	for _, o := range outcomes {
		if o.Problem != "" {
			all = append(all, o.Name)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("no figures of %s", strings.Join(all, ", "))
}
