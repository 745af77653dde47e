package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

type statsCommand struct {
	Source      string       `help:"Only of this source, by name or ID; latency is that of all sources." env:"-" placeholder:"SOURCE"`
	Environment string       `help:"Only of this environment." short:"e" aliases:"env" env:"-" placeholder:"NAME"`
	Event       string       `help:"Only with this name; latency is that of all events." env:"-" placeholder:"NAME"`
	Since       string       `help:"Received since: a time, or how long ago." default:"24h" env:"-" placeholder:"WHEN"`
	Until       string       `help:"Received before: a time, or how long ago." env:"-" placeholder:"WHEN"`
	Top         int          `help:"How many names of events are shown, 1 to 500." default:"10" env:"-"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (statsCommand) Help() string {
	return "Example:\n\n  millrace stats -e production --source=shop --since=168h"
}

// stats is the answers of four calls.
type stats struct {
	series  query.Series
	top     query.Top
	dedup   query.Dedup
	latency query.Latency
}

// Run shows the statistics.
func (c *statsCommand) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	var all stats
	answers := map[string]json.RawMessage{}
	for _, question := range c.questions(time.Now()) {
		answer, err := question.ask(r, &all)
		if err != nil {
			return err
		}
		answers[question.name] = answer
	}
	if c.Output.Output != "table" {
		return c.Output.write(tty.out, answers, nil)
	}
	return all.write(tty.out)
}

// question is one call, and where its answer goes.
type question struct {
	name   string
	filter url.Values
	into   func(*stats) any
}

func (q question) ask(r resource, all *stats) (json.RawMessage, error) {
	var answer json.RawMessage
	if err := r.client.Do(r.ctx, api.Call{Method: http.MethodGet, Path: "/analytics/" + q.name, Query: q.filter}, &answer); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(answer, q.into(all)); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}

func (c *statsCommand) questions(now time.Time) []question {
	span := []string{"environment", c.Environment, "since", c.Since, "until", c.Until}
	events := append([]string{"source", c.Source, "event", c.Event}, span...)
	return []question{
		{"series", filter(append([]string{"by", "status", "interval", string(c.interval(now))}, events...)...), func(s *stats) any { return &s.series }},
		{"top", filter(append([]string{"by", "event", "limit", strconv.Itoa(c.Top)}, events...)...), func(s *stats) any { return &s.top }},
		{"dedup", filter(append([]string{"interval", string(query.All)}, events...)...), func(s *stats) any { return &s.dedup }},
		{"latency", filter(append([]string{"interval", string(query.All)}, span...)...), func(s *stats) any { return &s.latency }},
	}
}

// interval gives the chart a step for each character of a line, at most. What is no time here is left to the API, which says so.
func (c *statsCommand) interval(now time.Time) query.Interval {
	switch span := moment(c.Until, now).Sub(moment(c.Since, now)); {
	case span <= 90*time.Minute:
		return query.Minute
	case span <= 3*24*time.Hour:
		return query.Hour
	default:
		return query.Day
	}
}

// moment reads a time, or how long ago; what is neither is now.
func moment(text string, now time.Time) time.Time {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	return now
}
