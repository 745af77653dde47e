package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what the command line says.
type settings struct {
	kafka       string // host:port; empty brings the embedded broker
	connections []int
	rounds      int
	length      time.Duration
	warmUp      time.Duration
	rate        float64
	events      string
	only        []string
	peers       string
	profiles    string
	json        string
	limit       time.Duration
}

// openLoopConnections is how many connections the open loop may use: a rate that a server carries needs a few of them.
const openLoopConnections = 256

func parse(arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("ingest", flag.ExitOnError)
	flags.StringVar(&s.kafka, "kafka", "", "`host:port` of a running Apache Kafka (make kafka-up); empty brings the embedded broker, in a process of its own")
	connections := flags.String("connections", "64,256", "connections at the same time, one comparison each")
	flags.IntVar(&s.rounds, "rounds", 5, "how often each contender has its turn")
	flags.DurationVar(&s.length, "for", 4*time.Second, "how long one turn is measured")
	flags.DurationVar(&s.warmUp, "warm-up", time.Second, "how long is posted before that, in each turn")
	flags.Float64Var(&s.rate, "rate", 2000, "requests a second of the open loop whose times are compared; 0 leaves that out")
	flags.StringVar(&s.events, "events", "schemas/testdata/track-events.ndjson", "templates of the events, one a line")
	only := flags.String("only", strings.Join(allNames(), ","), "the contenders; millrace must be among them")
	flags.StringVar(&s.peers, "peers", filepath.Join(".millrace", "peers"), "where the peers were built (make benthos)")
	flags.StringVar(&s.profiles, "cpuprofile", "", "an existing `directory` for a CPU profile of each contender")
	flags.StringVar(&s.json, "json", "", "a file that the rows for make bench are written to")
	flags.DurationVar(&s.limit, "limit", 20*time.Minute, "how long all may take")
	_ = flags.Parse(arguments) // it ends the process when it fails
	for field := range strings.SplitSeq(*connections, ",") {
		count, err := strconv.Atoi(field)
		if err != nil || count < 1 {
			return s, fmt.Errorf("-connections %q: give numbers such as 64,256", *connections)
		}
		s.connections = append(s.connections, count)
	}
	s.only = strings.Split(*only, ",")
	for _, name := range s.only {
		if !slices.Contains(allNames(), name) {
			return s, fmt.Errorf("-only %q: the contenders are %s", name, strings.Join(allNames(), ", "))
		}
	}
	if !slices.Contains(s.only, ours) {
		return s, fmt.Errorf("-only %q: %s is what the others are compared with", *only, ours)
	}
	if s.rounds < 1 || s.length <= 0 || s.rate < 0 || s.warmUp < 0 {
		return s, errors.New("-rounds and -for must be above 0, -rate and -warm-up not negative")
	}
	return s, nil
}
