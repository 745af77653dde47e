package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"
)

// settings are what the command line says.
type settings struct {
	endpoint      string
	address, path string // of the endpoint
	rate          float64
	length        time.Duration
	warmUp        time.Duration
	connections   int
	events        string
	variants      int
	duplicates    float64
	histogram     string
}

const usage = `Puts an endpoint under load and prints the rate reached, the answers by status, and quantiles of the times.

	go run ./bench/post -endpoint=http://127.0.0.1:8080/v1/receive/KEY -rate=2000 -for=30s
	go run ./bench/post -endpoint=http://127.0.0.1:8080/v1/receive/KEY -rate=0 -connections=64

With a rate it is an open loop: each event has a time when it is due, and its time counts from then, also when no connection was
free. With -rate=0 it is a closed loop, which tells how much the endpoint takes: a connection posts again once it is answered.
Ctrl-C ends it, with the figures so far.

`

func parse(arguments []string, output io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("post", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a wrong flag is told by main, without pages of help
	flags.StringVar(&s.endpoint, "endpoint", "", "`URL` that events are posted to: the endpoint of a source (required)")
	flags.Float64Var(&s.rate, "rate", 1000, "events a second; 0 is as fast as answers come")
	flags.DurationVar(&s.length, "for", 30*time.Second, "how long what counts is posted")
	flags.DurationVar(&s.warmUp, "warm-up", 0, "how long is posted before, uncounted")
	flags.IntVar(&s.connections, "connections", 256, "connections, and requests in flight, at most")
	flags.Float64Var(&s.duplicates, "duplicates", 0, "part of the events, from 0 to below 1, that repeat one of up to 2 s before byte for byte")
	flags.StringVar(&s.events, "events", "schemas/testdata/track-events.ndjson", "`FILE` of templates, one JSON event with a messageId a line")
	flags.IntVar(&s.variants, "variants", 1, "bodies of each template, with other digits in properties and users; 1 is the template alone")
	flags.StringVar(&s.histogram, "histogram", "", "`FILE` for the distribution of the times in ms, in the text form of HdrHistogram, which its plotters read")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(output, usage)
			flags.SetOutput(output)
			flags.PrintDefaults()
		}
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is no flag; see -help", flags.Arg(0))
	}
	return s, errors.Join(s.readEndpoint(), s.validate())
}

func (s *settings) readEndpoint() error {
	if s.endpoint == "" {
		return errors.New("-endpoint: give the URL of an endpoint, such as http://127.0.0.1:8080/v1/receive/KEY")
	}
	endpoint, err := url.Parse(s.endpoint)
	if err != nil {
		return fmt.Errorf("-endpoint: %w", err)
	}
	if endpoint.Scheme != "http" || endpoint.Hostname() == "" {
		return fmt.Errorf("-endpoint %q: give a URL that begins with http://; TLS is not measured", s.endpoint)
	}
	port := endpoint.Port()
	if port == "" {
		port = "80"
	}
	s.address, s.path = net.JoinHostPort(endpoint.Hostname(), port), endpoint.RequestURI()
	return nil
}

// validate reports every setting that cannot work.
func (s *settings) validate() error {
	var problems []error
	refuse := func(isWrong bool, problem string) {
		if isWrong {
			problems = append(problems, errors.New(problem))
		}
	}
	refuse(s.rate < 0, "-rate: must not be negative")
	refuse(s.length <= 0, "-for: must be above 0")
	refuse(s.warmUp < 0, "-warm-up: must not be negative")
	refuse(s.rate > 0 && s.length > 0 && s.count(s.length) == 0, "-for: is too short for one event at that -rate")
	refuse(s.connections < 1, "-connections: must be above 0")
	refuse(s.duplicates < 0 || s.duplicates >= 1, "-duplicates: must lie from 0 to below 1; 0.1 is a tenth")
	refuse(s.variants < 1, "-variants: must be above 0")
	return errors.Join(problems...)
}

func (s *settings) isClosed() bool { return s.rate == 0 }

// count returns how many events are due in a time.
func (s *settings) count(length time.Duration) int { return int(s.rate * length.Seconds()) }
