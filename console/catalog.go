package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/millrace/millrace/api"
)

// listOf reads a list of the catalog to its end.
func listOf[T any](ctx context.Context, client *api.Client, path string, filter url.Values) ([]T, error) {
	raw, err := client.List(ctx, path, filter)
	if err != nil {
		return nil, err
	}
	items := make([]T, len(raw))
	for i := range raw {
		if err := json.Unmarshal(raw[i], &items[i]); err != nil {
			return nil, fmt.Errorf("reading an answer of the management API: %w", err)
		}
	}
	return items, nil
}
