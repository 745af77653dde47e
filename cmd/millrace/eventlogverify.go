package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

type eventlogVerify struct {
	Topic      []string        `help:"Only this topic, named without the prefix; all that the event log reads otherwise." env:"-" placeholder:"TOPIC"`
	Kafka      kafka.Config    `embed:"" prefix:"kafka-"`
	ClickHouse eventlog.Config `embed:"" prefix:"clickhouse-"`
	Output     outputConfig    `embed:""`
}

// Help is shown by --help.
func (eventlogVerify) Help() string {
	return "Every record that Kafka still has, up to the committed offset of each partition, is looked for in its table. It has its row there, " +
		"or one of another record of the same identity (collapsed), or one in the quarantine, or none any more because the table's TTL has passed. " +
		"The exit status is 1 where a record is missing, counts twice, or has a row but is not in Kafka. The event log may go on writing meanwhile; a ClickHouse user who may only read is enough.\n\n" +
		"Examples:\n\n  millrace eventlog verify --topic=events\n  millrace eventlog verify -o json"
}

// Run verifies and prints one line for each partition.
func (c *eventlogVerify) Run(ctx bound, tty terminal) error {
	if err := needBrokers(c.Kafka); err != nil {
		return err
	}
	c.ClickHouse.ReadOnly = true
	conn, err := eventlog.Connect(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	progress := offsetsBar("comparing")
	all := []eventlog.Verified{}
	if err := eventlog.Verify(ctx, c.Kafka, c.ClickHouse, conn, c.Topic, eventlog.Progress{
		Compared: func(offsets int64) { _ = progress.Add64(offsets) }, // a bar that cannot be drawn is no reason to stop
		Done:     func(v eventlog.Verified) { all = append(all, v) },
	}); err != nil {
		return err
	}
	_ = progress.Finish()
	if err := c.Output.write(tty.out, all, func(table *tabwriter.Writer) error { return writeVerified(table, all) }); err != nil {
		return err
	}
	for _, v := range all {
		if !v.IsExact() {
			return exitStatus(exitFailed)
		}
	}
	return nil
}

// offsetsBar returns a bar on the standard error where somebody looks at it.
func offsetsBar(what string) *progressbar.ProgressBar {
	out := io.Discard
	if isatty.IsTerminal(os.Stderr.Fd()) {
		out = os.Stderr
	}
	return progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionClearOnFinish())
}

func writeVerified(table *tabwriter.Writer, all []eventlog.Verified) error {
	row(table, "TOPIC", "PARTITION", "OFFSETS", "RECORDS", "ROWS", "COLLAPSED", "QUARANTINED", "EXPIRED", "MISSING", "TWICE", "UNKNOWN", "WAITING", "RESULT")
	var records int64
	isExact := true
	for _, v := range all {
		records += v.Records
		isExact = isExact && v.IsExact()
		row(table, v.Topic, v.Partition, fmt.Sprintf("%d-%d", v.From, v.To), v.Records, v.Rows, v.Collapsed, v.Quarantined, v.Expired,
			v.Missing, v.Twice, v.Unknown, v.Waiting, verdict(v))
	}
	fmt.Fprintln(table)
	if isExact {
		fmt.Fprintf(table, "Each of %d records counts exactly once.\n", records)
	} else {
		fmt.Fprintf(table, "Not each of %d records counts exactly once.\n", records)
	}
	return nil
}

func verdict(v eventlog.Verified) string {
	switch {
	case v.Missing > 0:
		return "MISSING from offset " + strconv.FormatInt(v.FirstMissing, 10)
	case v.IsExact():
		return "exact"
	default:
		return "WRONG"
	}
}
