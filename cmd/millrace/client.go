package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/secretref"
)

// tokenVariable holds the token itself, which is how secrets reach jobs. The flag takes a reference only: what stands
// on a command line is seen by everybody on the machine.
const tokenVariable = "MILLRACE_API_TOKEN"

// clientConfig says how the management API is reached.
type clientConfig struct {
	URL   string `name:"api-url" help:"URL of the management API; http://127.0.0.1:8081 unless it is given." default:"http://127.0.0.1:8081" placeholder:"URL"`
	Token string `name:"api-token" help:"Where its token is: env:NAME or file:PATH. Without the flag, the variable $$MILLRACE_API_TOKEN holds the token itself." env:"-" placeholder:"REF"`
}

func (c clientConfig) connect() (*api.Client, error) {
	if parsed, err := url.Parse(c.URL); err != nil || parsed.Host == "" || !strings.HasPrefix(parsed.Scheme, "http") {
		return nil, fmt.Errorf("--api-url %q: give a URL such as http://127.0.0.1:8081", c.URL)
	}
	token := strings.TrimSpace(os.Getenv(tokenVariable))
	if c.Token != "" {
		resolved, err := secretref.Resolve(c.Token)
		if err != nil {
			return nil, fmt.Errorf("--api-token: %w; the variable %s holds a token itself", err, tokenVariable)
		}
		token = resolved
	}
	return api.NewClient(c.URL, token), nil
}

// deletion is what commands that delete share.
type deletion struct {
	Yes bool `help:"Delete without asking." short:"y" env:"-"`
}

// confirm asks before something is deleted, and says what goes with it.
func (d deletion) confirm(ctx context.Context, tty terminal, what, consequence string) error {
	if d.Yes {
		return nil
	}
	return tty.confirm(ctx, fmt.Sprintf("Delete %s? %s", what, consequence))
}

// revisionConfig guards a change against another one.
type revisionConfig struct {
	IfRevision int64 `help:"Change it only if this is its revision still." env:"-" placeholder:"N"`
}

// resource calls the API about things of one kind and writes them.
type resource struct {
	ctx    context.Context
	client *api.Client
	output outputConfig
	tty    terminal
}

func (c clientConfig) resource(ctx context.Context, output outputConfig, tty terminal) (resource, error) {
	client, err := c.connect()
	return resource{ctx, client, output, tty}, err
}

// list writes the things of a list, a row each.
func list[T any](r resource, path string, filter url.Values, header []any, cells func(T) []any) error {
	items, err := r.client.List(r.ctx, path, filter)
	if err != nil {
		return err
	}
	return listed(r, items, header, cells)
}

// page writes one page of a list, and says where there are more things than that.
func page[T any](r resource, path string, filter url.Values, header []any, cells func(T) []any) error {
	var answer struct {
		Items      []json.RawMessage `json:"items"`
		NextCursor *string           `json:"next_cursor"`
	}
	if err := r.client.Do(r.ctx, api.Call{Method: http.MethodGet, Path: path, Query: filter}, &answer); err != nil {
		return err
	}
	if err := listed(r, answer.Items, header, cells); err != nil {
		return err
	}
	if answer.NextCursor != nil {
		fmt.Fprintf(r.tty.err, "There are more than these %d: --limit and the other flags choose which are shown.\n", len(answer.Items))
	}
	return nil
}

func listed[T any](r resource, items []json.RawMessage, header []any, cells func(T) []any) error {
	return r.output.write(r.tty.out, items, func(table *tabwriter.Writer) error {
		shown, err := decoded[T](items)
		if err != nil {
			return err
		}
		row(table, header...)
		for _, item := range shown {
			row(table, cells(item)...)
		}
		return nil
	})
}

// show makes a call and writes the one thing that it is answered with.
func show[T any](r resource, call api.Call, write func(*tabwriter.Writer, T)) error {
	var answer json.RawMessage
	if err := r.client.Do(r.ctx, call, &answer); err != nil {
		return err
	}
	return r.output.write(r.tty.out, answer, func(table *tabwriter.Writer) error {
		shown, err := decoded[T]([]json.RawMessage{answer})
		if err != nil {
			return err
		}
		write(table, shown[0])
		return nil
	})
}

// remove deletes a thing and says so.
func (r resource) remove(path, what string) error {
	if err := r.client.Do(r.ctx, api.Call{Method: http.MethodDelete, Path: path}, nil); err != nil {
		return err
	}
	fmt.Fprintf(r.tty.out, "%s is deleted.\n", what)
	return nil
}

// changes collects the members of a request that were given.
type changes map[string]any

func (c changes) text(name string, value *string) {
	if value != nil {
		c[name] = *value
	}
}

func (c changes) needAny() error {
	if len(c) == 0 {
		return errors.New("there is nothing to change; --help lists what can be")
	}
	return nil
}

// onOff sets a member to whether the thing is off.
func (c changes) onOff(name string, disable, enable bool) {
	if disable != enable {
		c[name] = disable
	}
}

// filter makes a query of what was given.
func filter(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}
