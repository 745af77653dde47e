package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/schemas"
)

// Client calls the API for the command line and the console.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of the API at a URL such as http://127.0.0.1:8081, which shows the token unless it is "".
func NewClient(base, token string) *Client {
	return &Client{strings.TrimSuffix(base, "/"), token, &http.Client{Timeout: time.Minute}}
}

// Call is one request of the API.
type Call struct {
	Method   string
	Path     string // below /api/v1, see Path
	Query    url.Values
	Body     any    // nil for none
	Revision int64  // that the change is meant for; 0 for any
	Key      string // Idempotency-Key; "" for none
}

// Path joins segments, which may hold anything, to a path.
func Path(segments ...string) string {
	var b strings.Builder
	for _, segment := range segments {
		b.WriteString("/" + url.PathEscape(segment))
	}
	return b.String()
}

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 64 << 20

// Do makes the call and decodes its answer into into, unless that is nil. What the API refuses is a *RefusedError.
func (c *Client) Do(ctx context.Context, call Call, into any) error {
	request, err := c.request(ctx, call)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return c.refused(response, body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return c.foreign(response.Status)
	}
	return nil
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if call.Body != nil {
		encoded, err := json.Marshal(call.Body)
		if err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	target := c.base + "/api/v1" + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, fmt.Errorf("--api-url %q: %w", c.base, err)
	}
	if call.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if call.Revision > 0 {
		request.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(call.Revision, 10)))
	}
	if call.Key != "" { // net/http, too, sends it once more then where a connection broke before there was an answer
		request.Header.Set(headerIdempotencyKey, call.Key)
	}
	return request, nil
}

// Get reads one thing.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.Do(ctx, Call{Method: http.MethodGet, Path: path}, into)
}

// List reads a list to its end, page by page.
func (c *Client) List(ctx context.Context, path string, filter url.Values) ([]json.RawMessage, error) {
	items := []json.RawMessage{}
	query := url.Values{}
	for name, values := range filter {
		query[name] = values
	}
	for {
		var page list[json.RawMessage]
		if err := c.Do(ctx, Call{Method: http.MethodGet, Path: path, Query: query}, &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.NextCursor == nil {
			return items, nil
		}
		query.Set("cursor", *page.NextCursor)
	}
}

// Me tells whom the API takes the client's token for.
func (c *Client) Me(ctx context.Context) (me Me, err error) {
	err = c.Get(ctx, "/me", &me)
	return me, err
}

// Source finds a source by its ID or name.
func (c *Client) Source(ctx context.Context, idOrName string) (found Source, err error) {
	err = c.Get(ctx, Path("sources", idOrName), &found)
	return found, err
}

// Triggers reads a page of triggers, oldest first.
func (c *Client) Triggers(ctx context.Context, filter url.Values) (Page[schemas.Trigger], error) {
	return get[Page[schemas.Trigger]](ctx, c, "/triggers", filter)
}

// Apply makes the catalog what the request says, or plans it.
func (c *Client) Apply(ctx context.Context, request ApplyRequest) (answer ApplyAnswer, err error) {
	if request.Resources == nil {
		request.Resources = []json.RawMessage{}
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: "/apply", Body: request}, &answer)
	return answer, err
}

// Export returns the whole catalog as Apply takes it.
func (c *Client) Export(ctx context.Context) ([]json.RawMessage, error) {
	var exported struct {
		Resources []json.RawMessage `json:"resources"`
	}
	err := c.Get(ctx, "/export", &exported)
	return exported.Resources, err
}

// unreachable says what to look at when there is no answer at all.
func (c *Client) unreachable(err error) error {
	var byURL *url.Error
	if errors.As(err, &byURL) {
		err = byURL.Err // without the URL, which is named here
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("asking the management API at %s: %w\nIs it running? `millrace dev` or `millrace api` starts it; --api-url or MILLRACE_API_URL says where it is", c.base, err)
}

// foreign is the error for an answer that is not the API's.
func (c *Client) foreign(status string) error {
	return fmt.Errorf("%s answered %s, but not as the management API does; does --api-url point to it?", c.base, status)
}
