package api

import (
	"context"
	"net/http"
	"net/url"
)

// PreviewTrigger asks what a trigger would do. The request is the body of the call.
func (c *Client) PreviewTrigger(ctx context.Context, request any) (found Preview, err error) {
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: "/triggers/preview", Body: request}, &found)
	return found, err
}

// Properties tells what the latest events of a name have in them.
func (c *Client) Properties(ctx context.Context, event string, filter url.Values) (Properties, error) {
	return get[Properties](ctx, c, Path("event-names", event, "properties"), filter)
}
