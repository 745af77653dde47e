package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/millrace/millrace/bench/load"
)

type sendCommand struct {
	File        string        `help:"Events, one JSON object a line; - is the standard input." required:"" placeholder:"FILE.ndjson"`
	Endpoint    string        `help:"URL of the endpoint. Default: the demo source's in development, asked from the management API." placeholder:"URL"`
	Client      clientConfig  `embed:""`
	Rate        float64       `help:"Events per second; 0 is as fast as answers come." default:"0" placeholder:"N"`
	Connections int           `help:"Requests in flight at most." default:"16"`
	GiveUpAfter time.Duration `help:"How long one event is tried when the answer is 429 or 5xx, or there is none." default:"30s"`
}

// Run posts the file and fails when an event was not accepted.
func (c *sendCommand) Run(ctx bound) error {
	bodies, err := c.read()
	if err != nil {
		return err
	}
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return err
	}
	bar := newBar(os.Stderr, int64(len(bodies)), progressbar.OptionSetDescription("sending"), progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"))
	summary, err := load.Send(ctx, load.Options{
		Endpoint: endpoint, Rate: c.Rate, Connections: max(c.Connections, 1), GiveUpAfter: c.GiveUpAfter,
		Sent: func() { _ = bar.Add(1) }, // a bar that cannot be drawn is no reason to stop
	}, bodies)
	c.report(summary)
	if err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if refused := summary.Total() - summary.Accepted(); refused > 0 {
		return fmt.Errorf("%d of %d events were not accepted; the first: %s", refused, summary.Total(), summary.Refusal)
	}
	return nil
}

func (c *sendCommand) read() ([][]byte, error) {
	if c.File == "-" {
		return load.ReadLines(os.Stdin)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("opening the events: %w", err)
	}
	defer file.Close()
	bodies, err := load.ReadLines(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c.File, err)
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%s holds no events", c.File)
	}
	return bodies, nil
}

func (c *sendCommand) endpoint(ctx context.Context) (string, error) {
	if c.Endpoint != "" {
		return c.Endpoint, nil
	}
	client, err := c.Client.connect()
	if err != nil {
		return "", err
	}
	source, err := client.Source(ctx, demoSource)
	if err != nil {
		return "", fmt.Errorf("finding the demo source's endpoint: %w\nIs `make run` up? Otherwise give the endpoint with --endpoint", err)
	}
	endpoint, found := source.Endpoints["development"]
	if !found {
		return "", errors.New("the demo source has no endpoint in development; give one with --endpoint")
	}
	return endpoint.URL, nil
}

// report prints how the events ended, on the standard output.
func (c *sendCommand) report(summary load.Summary) {
	seconds := max(summary.Took.Seconds(), 1e-9)
	fmt.Printf("%d events in %.1f s, %.0f a second\n", summary.Total(), seconds, float64(summary.Total())/seconds)
	for _, status := range slices.Sorted(maps.Keys(summary.Answers)) {
		name := http.StatusText(status)
		if status == 0 {
			name = "no answer"
		}
		fmt.Printf("  %3d %-24s %d\n", status, name, summary.Answers[status])
	}
	if summary.Repeats > 0 {
		fmt.Printf("  %d requests were made again\n", summary.Repeats)
	}
}
