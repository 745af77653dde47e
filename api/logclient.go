package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/millrace/millrace/eventlog/query"
)

// The calls of the event log, for the command line. Filters are the parameters of the query string, as the OpenAPI
// document names them.

// Page is a page of a list.
type Page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"` // nil at the end
}

// Event is an event with everything that is known about it.
type Event = eventDetail

// Events reads a page of events. With the parameter after, it is a page of what came since.
func (c *Client) Events(ctx context.Context, filter url.Values) (Page[query.EventItem], error) {
	return get[Page[query.EventItem]](ctx, c, "/events", filter)
}

// Event reads one event.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	return get[Event](ctx, c, Path("events", id), nil)
}

// Runs reads a page of runs.
func (c *Client) Runs(ctx context.Context, filter url.Values) (Page[query.RunItem], error) {
	return get[Page[query.RunItem]](ctx, c, "/runs", filter)
}

// Rejections reads a page of refused requests.
func (c *Client) Rejections(ctx context.Context, filter url.Values) (Page[query.RejectionItem], error) {
	return get[Page[query.RejectionItem]](ctx, c, "/rejections", filter)
}

// Series counts events over time.
func (c *Client) Series(ctx context.Context, filter url.Values) (query.Series, error) {
	return get[query.Series](ctx, c, "/analytics/series", filter)
}

// Top counts events by what they have most often.
func (c *Client) Top(ctx context.Context, filter url.Values) (query.Top, error) {
	return get[query.Top](ctx, c, "/analytics/top", filter)
}

// Latency measures how long deliveries took.
func (c *Client) Latency(ctx context.Context, filter url.Values) (query.Latency, error) {
	return get[query.Latency](ctx, c, "/analytics/latency", filter)
}

// Dedup measures how many events were repeats.
func (c *Client) Dedup(ctx context.Context, filter url.Values) (query.Dedup, error) {
	return get[query.Dedup](ctx, c, "/analytics/dedup", filter)
}

// SQL asks the event log in SQL.
func (c *Client) SQL(ctx context.Context, request SQLRequest) (table query.Table, err error) {
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: "/sql", Body: request}, &table)
	return table, err
}

func get[T any](ctx context.Context, c *Client, path string, filter url.Values) (answer T, err error) {
	err = c.Do(ctx, Call{Method: http.MethodGet, Path: path, Query: filter}, &answer)
	return answer, err
}

// EventNames reads a page of the event names that were seen, those seen last first.
func (c *Client) EventNames(ctx context.Context, filter url.Values) (Page[query.NameItem], error) {
	return get[Page[query.NameItem]](ctx, c, "/event-names", filter)
}
