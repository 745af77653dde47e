package api

import (
	"context"
	"net/url"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// The calls of what is set and who has set it, for the console.

// Environment reads one environment.
func (c *Client) Environment(ctx context.Context, name string) (schemas.Environment, error) {
	return get[schemas.Environment](ctx, c, Path("environments", name), nil)
}

// Tokens lists the tokens, of which there are none where only the API's machine is served.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	answer, err := get[Page[Token]](ctx, c, "/tokens", nil)
	return answer.Items, err
}

// Audit reads a page of the changes of the catalog, newest first.
func (c *Client) Audit(ctx context.Context, filter url.Values) (Page[query.AuditItem], error) {
	return get[Page[query.AuditItem]](ctx, c, "/audit", filter)
}
