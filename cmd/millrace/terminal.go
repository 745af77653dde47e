package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/millrace/millrace/catalog/manifest"
)

// terminal is where a command reads and writes.
type terminal struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	// isInteractive says that somebody sits at in and can be asked.
	isInteractive bool
}

// confirm asks a question that has to be answered with yes. Where nobody can be asked, it fails and says what to do.
func (t terminal) confirm(ctx context.Context, question string) error {
	if !t.isInteractive {
		return errors.New("nobody can be asked here: give --yes to do it")
	}
	fmt.Fprintf(t.err, "%s Only yes will do it: ", question)
	// A read from a terminal cannot be called off. After ctrl-C it is left to the end of the process, which is near.
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(t.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case text := <-answer:
		if text == "yes" {
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(t.err)
	}
	return errors.New("nothing was done")
}

// outputConfig chooses how answers are written.
type outputConfig struct {
	Output string `help:"table for people; json or yaml, as the API answers, for scripts." short:"o" enum:"table,json,yaml" default:"table" env:"-"`
}

// write writes an answer of the API. For a table, rows gets the answer's items, or the one thing that it is.
func (c outputConfig) write(out io.Writer, answer any, table func(*tabwriter.Writer) error) error {
	if c.Output == "table" {
		columns := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		if err := table(columns); err != nil {
			return err
		}
		return columns.Flush()
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		var indented bytes.Buffer
		if err := json.Indent(&indented, encoded, "", "  "); err != nil {
			return err
		}
		encoded = append(indented.Bytes(), '\n')
	} else if encoded, err = manifest.YAML(encoded); err != nil {
		return err
	}
	_, err = out.Write(encoded)
	return err
}

// row writes a line of a table.
func row(table io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = plain(fmt.Sprint(cell))
	}
	fmt.Fprintln(table, strings.Join(texts, "\t"))
}

// plain keeps a text to one cell, and from commanding the terminal: names and bodies come from outside.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}

// decoded reads items of a list for a table.
func decoded[T any](items []json.RawMessage) ([]T, error) {
	all := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item, &all[i]); err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
	}
	return all, nil
}

// state is a word for a boolean that people read.
func state(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}
