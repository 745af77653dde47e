package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/api"
)

type sourceCommands struct {
	List   sourceList   `cmd:"" help:"List the sources."`
	Get    sourceGet    `cmd:"" help:"Show a source with its endpoints."`
	Create sourceCreate `cmd:"" help:"Add a source, with an endpoint in every environment."`
	Update sourceUpdate `cmd:"" help:"Change a source, or its endpoint in one environment."`
	Delete sourceDelete `cmd:"" help:"Delete a source that no trigger is bound to."`
	Rotate sourceRotate `cmd:"" help:"Give an endpoint a new key."`
	Curl   sourceCurl   `cmd:"" help:"Print a curl line that posts an event."`
}

// source is what the API says about one.
type source struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Disabled    bool                `json:"disabled"`
	Revision    int64               `json:"revision"`
	Endpoints   map[string]endpoint `json:"endpoints"`
}

type endpoint struct {
	URL         string `json:"url"`
	Disabled    bool   `json:"disabled"`
	DedupWindow string `json:"dedup_window"`
	MaxBytes    int    `json:"max_bytes"`
	Signature   *struct {
		Scheme string `json:"scheme"`
	} `json:"signature"`
}

func (e endpoint) signed() string {
	if e.Signature == nil {
		return "no"
	}
	return e.Signature.Scheme
}

func (s source) environments() []string { return slices.Sorted(maps.Keys(s.Endpoints)) }

func writeSource(table *tabwriter.Writer, s source) {
	row(table, "id", s.ID)
	row(table, "name", s.Name)
	row(table, "description", s.Description)
	row(table, "state", state(s.Disabled))
	row(table, "revision", s.Revision)
	fmt.Fprintln(table)
	row(table, "ENVIRONMENT", "STATE", "DEDUP", "SIGNED", "MAX BYTES", "ENDPOINT")
	for _, name := range s.environments() {
		e := s.Endpoints[name]
		row(table, name, state(e.Disabled), e.DedupWindow, e.signed(), zeroAs(e.MaxBytes, "ingest's"), e.URL)
	}
}

type sourceList struct {
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (sourceList) Help() string { return "Example:\n\n  millrace source list" }

// Run lists the sources.
func (c *sourceList) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return list(r, "/sources", nil, []any{"NAME", "STATE", "ENDPOINTS", "REVISION", "ID", "DESCRIPTION"}, func(s source) []any {
		return []any{s.Name, state(s.Disabled), strings.Join(s.environments(), ","), s.Revision, s.ID, s.Description}
	})
}

type sourceGet struct {
	Name   string       `arg:"" help:"The source's name or ID."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (sourceGet) Help() string {
	return "Endpoint URLs are shown to tokens that may write.\n\nExample:\n\n  millrace source get shop"
}

// Run shows the source.
func (c *sourceGet) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("sources", c.Name)}, writeSource)
}

type sourceCreate struct {
	Name        string       `arg:"" help:"Its name."`
	Description *string      `help:"For people." env:"-"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (sourceCreate) Help() string {
	return "Example:\n\n  millrace source create shop --description='Our web shop'"
}

// Run adds the source.
func (c *sourceCreate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body := changes{"name": c.Name}
	body.text("description", c.Description)
	return show(r, api.Call{Method: http.MethodPost, Path: "/sources", Body: body}, writeSource)
}

type sourceDelete struct {
	Name   string       `arg:"" help:"The source's name or ID."`
	Delete deletion     `embed:""`
	Client clientConfig `embed:""`
}

// Help is shown by --help.
func (sourceDelete) Help() string { return "Example:\n\n  millrace source delete shop --yes" }

// Run deletes the source.
func (c *sourceDelete) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, outputConfig{}, tty)
	if err != nil {
		return err
	}
	what := "source " + c.Name
	if err := c.Delete.confirm(ctx, tty, what, "Its endpoint keys are lost for good."); err != nil {
		return err
	}
	return r.remove(api.Path("sources", c.Name), what)
}

type sourceRotate struct {
	Name        string        `arg:"" help:"The source's name or ID."`
	Environment string        `arg:"" help:"Whose endpoint gets the key."`
	Grace       time.Duration `help:"How long the old key is good for; 0s ends it at once." default:"24h" env:"-"`
	Client      clientConfig  `embed:""`
	Output      outputConfig  `embed:""`
}

// Help is shown by --help.
func (sourceRotate) Help() string {
	return "Example:\n\n  millrace source rotate shop production --grace=72h"
}

// Run rotates the key.
func (c *sourceRotate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	path := api.Path("sources", c.Name, "endpoints", c.Environment, "rotate")
	return show(r, api.Call{Method: http.MethodPost, Path: path, Body: changes{"grace": c.Grace.String()}}, writeSource)
}

type sourceCurl struct {
	Name        string       `arg:"" help:"The source's name or ID."`
	Environment string       `arg:"" optional:"" help:"Whose endpoint is posted to." default:"development"`
	Event       string       `help:"The event's name." default:"Order Completed" env:"-"`
	User        string       `help:"The user's ID." default:"ada" env:"-"`
	Client      clientConfig `embed:""`
}

// Help is shown by --help.
func (sourceCurl) Help() string {
	return "Example:\n\n  millrace source curl shop production --event='Signed Up' | sh"
}

// Run prints the line.
func (c *sourceCurl) Run(ctx bound, tty terminal) error {
	client, err := c.Client.connect()
	if err != nil {
		return err
	}
	var found source
	if err := client.Get(ctx, api.Path("sources", c.Name), &found); err != nil {
		return err
	}
	e, exists := found.Endpoints[c.Environment]
	if !exists {
		return fmt.Errorf("source %s has no endpoint in %s; it has one in %s", found.Name, c.Environment, strings.Join(found.environments(), ", "))
	}
	if e.URL == "" || strings.HasSuffix(e.URL, "***") {
		return errors.New("the endpoint's key is not shown to this token; use one that may write (--api-token)")
	}
	switch {
	case found.Disabled || e.Disabled:
		fmt.Fprintln(tty.err, "the endpoint is disabled: it will answer 404")
	case e.Signature != nil:
		fmt.Fprintf(tty.err, "the endpoint wants events to be signed (%s), which this line is not: it will be answered 401\n", e.Signature.Scheme)
	}
	body, err := sampleEvent(c.Event, cmp.Or(c.User, "ada"))
	if err != nil {
		return err
	}
	fmt.Fprintf(tty.out, "curl -i %s -H 'Content-Type: application/json' -d %s\n", shellQuote(e.URL), shellQuote(body))
	return nil
}
