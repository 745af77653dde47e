package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the API for the command line.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client of the API at a URL such as http://127.0.0.1:8081.
func NewClient(base string) *Client {
	return &Client{strings.TrimSuffix(base, "/"), &http.Client{Timeout: 30 * time.Second}}
}

// Source finds a source by its ID or name.
func (c *Client) Source(ctx context.Context, idOrName string) (Source, error) {
	var found Source
	err := c.get(ctx, "/api/v1/sources/"+url.PathEscape(idOrName), &found)
	return found, err
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		return json.Unmarshal(body, into)
	}
	var refused struct {
		Error problem `json:"error"`
	}
	if err := json.Unmarshal(body, &refused); err != nil || refused.Error.Message == "" {
		return fmt.Errorf("answered %s", response.Status)
	}
	return fmt.Errorf("answered %s: %s", response.Status, refused.Error.Message)
}
