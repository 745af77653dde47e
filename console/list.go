package console

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
)

// list is a page of a list and the search that found it. Its address is the search: the same names and values as the API
// takes.
type list[T any] struct {
	Filter  form
	Choices choices
	Items   part[[]T]
	Pager   pager
	Status  int // to answer with
}

// listing is a list to be asked for.
type listing[T any] struct {
	path     string     // of the page
	inputs   []string   // parameters of the API that a search can have, but for the cursor
	defaults url.Values // of those that a search leaves out
	read     func(*api.Client, context.Context, url.Values) (api.Page[T], error)
}

// pageSize is how many things a page of a list has.
const pageSize = "50"

// find reads the page of the list that the address asks for, and what its filter can be set to. A fault of the filter
// stands at its input.
func find[T any](c *fiber.Ctx, wanted listing[T]) (list[T], error) {
	limited, cancel := inTime(c)
	defer cancel()
	return findWithin(limited, c, wanted)
}

// findWithin is find with a context of its own for the list. One of the catalog, which the API has in memory, needs no limit
// but the page's.
func findWithin[T any](limited context.Context, c *fiber.Ctx, wanted listing[T]) (list[T], error) {
	filter := filterOf(c, wanted.inputs)
	found := list[T]{Filter: form{Values: filter}, Status: fiber.StatusOK}
	for name, values := range wanted.defaults {
		if !filter.Has(name) {
			found.Filter.Values = with(found.Filter.Values, name, values[0])
		}
	}
	asked := with(found.Filter.Values, "limit", pageSize)
	cursor := c.Query("cursor")
	if cursor != "" {
		asked.Set("cursor", cursor)
	}
	client := visitorOf(c).client
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		page, err := wanted.read(client, limited, asked)
		found.Pager = pagerFor(wanted.path, filter, cursor, page.NextCursor)
		return found.Items.ask(limited, page.Items, err)
	})
	group.Go(func() (err error) {
		found.Choices, err = choicesFor(ctx, client)
		return err
	})
	if err := group.Wait(); err != nil {
		return found, err
	}
	if failed := found.Items.Failed; failed != nil {
		found.Status = failed.Status
		found.Filter.blame(failed, wanted.inputs)
	}
	return found, nil
}

// filterOf reads the parameters with these names from the address.
func filterOf(c *fiber.Ctx, names []string) url.Values {
	filter := url.Values{}
	c.Context().QueryArgs().VisitAll(func(name, value []byte) {
		text := strings.TrimSpace(string(value))
		if text != "" && slices.Contains(names, string(name)) {
			filter.Add(string(name), text)
		}
	})
	return filter
}

// with is the filter with one value more.
func with(filter url.Values, name, value string) url.Values {
	longer := url.Values{}
	for name, values := range filter {
		longer[name] = slices.Clone(values)
	}
	longer.Set(name, value)
	return longer
}

// pager leads to the pages before and after one.
type pager struct {
	Newest string // address; "" on the first page
	Older  string // address; "" on the last one
}

func pagerFor(path string, filter url.Values, cursor string, next *string) pager {
	var made pager
	if cursor != "" {
		made.Newest = path + "?" + filter.Encode()
	}
	if next != nil {
		made.Older = path + "?" + with(filter, "cursor", *next).Encode()
	}
	return made
}
