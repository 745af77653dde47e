package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/millrace/millrace/doctor"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

type doctorCommand struct {
	Kafka       kafka.Config      `embed:"" prefix:"kafka-"`
	ClickHouse  eventlog.Config   `embed:"" prefix:"clickhouse-"`
	TTL         eventlog.TTL      `embed:"" prefix:"clickhouse-ttl-"`
	WorkflowAPI workflowAPIConfig `embed:"" prefix:"workflow-api-"`
	JSON        bool              `name:"json" help:"Write the findings as JSON." env:"-"`
}

// Help is shown by --help.
func (*doctorCommand) Help() string {
	return "Give it the settings, variables and files that the roles have, and run it where they run. It changes nothing and starts no run. " +
		"It ends with status 1 where there is a problem; a warning is none."
}

// Run makes every check and writes what it came to.
func (c *doctorCommand) Run(ctx bound, tty terminal) error {
	if err := needBrokers(c.Kafka); err != nil {
		return err
	}
	findings := c.findings(ctx)
	if err := c.write(tty.out, findings); err != nil {
		return err
	}
	if doctor.Worst(findings) == doctor.Problem {
		return exitStatus(exitFailed)
	}
	return nil
}

// checkTimeout bounds each check; they are made side by side.
const checkTimeout = 10 * time.Second

// findings makes the checks side by side and returns what they came to, always in the same order.
func (c *doctorCommand) findings(ctx context.Context) []doctor.Finding {
	checks := []func(context.Context) []doctor.Finding{c.checkKafka, c.checkClickHouse, c.checkCatalog}
	found := make([][]doctor.Finding, len(checks))
	var making sync.WaitGroup
	for i, check := range checks {
		making.Go(func() {
			limited, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			found[i] = check(limited)
		})
	}
	making.Wait()
	return slices.Concat(found...)
}

func (c *doctorCommand) write(out io.Writer, findings []doctor.Finding) error {
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"worst": doctor.Worst(findings), "findings": findings})
	}
	paint := func(_ doctor.Level, text string) string { return text }
	if file, is := out.(*os.File); is && isatty.IsTerminal(file.Fd()) && os.Getenv("NO_COLOR") == "" {
		paint = colored
	}
	for _, finding := range findings {
		fmt.Fprintf(out, "%s %-12s %s\n", paint(finding.Level, fmt.Sprintf("%-8s", finding.Level)), finding.Check, plain(finding.Text))
		if finding.Hint != "" {
			fmt.Fprintf(out, "%-8s %-12s -> %s\n", "", "", plain(finding.Hint))
		}
	}
	return nil
}

// colored wraps a text in the terminal's colour for the level.
func colored(level doctor.Level, text string) string {
	colors := map[doctor.Level]int{doctor.OK: 32, doctor.Warning: 33, doctor.Problem: 31}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colors[level], text)
}
