package main

import (
	"net/url"
	"strconv"
)

// logScope says which part of the log is meant.
type logScope struct {
	Source      string `help:"Only of this source, by name or ID." env:"-" placeholder:"SOURCE"`
	Environment string `help:"Only of this environment." short:"e" aliases:"env" env:"-" placeholder:"NAME"`
	Since       string `help:"Received since: a time, or how long ago, such as 1h." env:"-" placeholder:"WHEN"`
	Until       string `help:"Received before: a time, or how long ago." env:"-" placeholder:"WHEN"`
}

// members are the parameters that were given, and more of them.
func (s logScope) members(more ...string) url.Values {
	return filter(append([]string{"source", s.Source, "environment", s.Environment, "since", s.Since, "until", s.Until}, more...)...)
}

// listing is what commands that show a page of the log share.
type listing struct {
	Limit  int          `help:"How many at most, 1 to 500." default:"50" env:"-"`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

func (l listing) limit() string { return strconv.Itoa(l.Limit) }
