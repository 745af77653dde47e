package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/millrace/millrace/eventlog/query"
)

// eventWriter writes events one by one: a row each, or a line of JSON.
type eventWriter struct {
	out     io.Writer
	isJSON  bool
	sources sourceNames
}

// header is written before there is an event, so that one sees at once that it waits for one.
func (w eventWriter) header() error {
	if w.isJSON {
		return nil
	}
	return w.row("RECEIVED", "STATUS", "ENVIRONMENT", "SOURCE", "EVENT", "USER", "ID")
}

func (w eventWriter) write(e query.EventItem, raw json.RawMessage) error {
	if !w.isJSON {
		return w.row(e.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"), statusOf(e), e.Environment, w.sources.name(e.SourceID), e.Event, e.UserID, e.ID)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, raw); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	_, err := fmt.Fprintln(w.out, line.String())
	return err
}

// row has columns of a fixed width, because what comes later is not known yet. A longer cell moves the others.
func (w eventWriter) row(received, status, environment, source, event, user, id string) error {
	_, err := fmt.Fprintf(w.out, "%-24s  %-10s  %-12s  %-16s  %-28s  %-20s  %s\n",
		received, status, environment, plain(source), plain(event), plain(user), id)
	return err
}
