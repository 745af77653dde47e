package main

import (
	"cmp"
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
	Scope  logScope     `embed:""`
	Event  string       `help:"Only with this name." env:"-" placeholder:"NAME"`
	Top    int          `help:"How many names of events are shown, 1 to 500." default:"10" env:"-"`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (statsCommand) Help() string {
	return "Without --since, of the last 24 hours. Latency is that of all sources and events.\n\nExample:\n\n  millrace stats -e production --source=shop --since=168h"
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
	events := func(more ...string) url.Values { return c.Scope.members(append(more, "event", c.Event)...) }
	deliveries := c.Scope.members("interval", string(query.All))
	deliveries.Del("source")
	return []question{
		{"series", events("by", "status", "interval", string(c.interval(now))), func(s *stats) any { return &s.series }},
		{"top", events("by", "event", "limit", strconv.Itoa(c.Top)), func(s *stats) any { return &s.top }},
		{"dedup", events("interval", string(query.All)), func(s *stats) any { return &s.dedup }},
		{"latency", deliveries, func(s *stats) any { return &s.latency }},
	}
}

// interval gives the chart a step for each character of a line, at most. What is no time here is left to the API, which says so.
func (c *statsCommand) interval(now time.Time) query.Interval {
	switch span := moment(c.Scope.Until, now).Sub(moment(cmp.Or(c.Scope.Since, "24h"), now)); {
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
