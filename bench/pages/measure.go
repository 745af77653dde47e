package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// warmUp is how often a page is asked for before it counts.
const warmUp = 3

// paths are the pages of the console, of things that are in the log.
func (p pipeline) paths(ctx context.Context, sources []string) ([]string, error) {
	var events, runs struct {
		Items []struct {
			ID    string `json:"id"`
			Event string `json:"event"`
		}
	}
	var trigger struct{ ID string }
	if err := p.get(ctx, "/events?status=processed&limit=1", &events); err != nil {
		return nil, err
	}
	if err := p.get(ctx, "/runs?limit=1", &runs); err != nil {
		return nil, err
	}
	if len(events.Items) == 0 || len(runs.Items) == 0 {
		return nil, fmt.Errorf("there is no event, or no run, in the log")
	}
	event, source := events.Items[0], sources[0]
	name := url.QueryEscape(event.Event)
	err := p.call(ctx, http.MethodPost, "/triggers", map[string]any{
		"environment": "production", "source_id": source, "event": event.Event, "workflow": "measured", "condition": "data.total > 100", "status": "inactive",
	}, &trigger)
	if err != nil {
		return nil, err
	}
	return []string{
		"/", "/?since=24h", "/?since=168h",
		"/sources", "/sources/new", "/sources/" + source,
		"/logs", "/logs?since=720h", "/logs?source=" + source + "&status=failed", "/logs?q=violet", "/logs?where=properties.total%3E499", "/refused",
		"/events/" + event.ID,
		"/triggers", "/triggers/" + trigger.ID, "/triggers/" + trigger.ID + "/edit", "/triggers/new?environment=production&source=" + source + "&event=" + name,
		"/runs", "/runs/" + runs.Items[0].ID, "/dead-letters",
		"/replays", "/replays/new?environment=production&source=" + source,
		"/analytics", "/analytics?since=720h",
		"/settings", "/settings/environments/production", "/settings/tokens", "/settings/audit",
	}, nil
}

// measure prints a line for each page.
func (p pipeline) measure(ctx context.Context, sources []string, rounds int) error {
	paths, err := p.paths(ctx, sources)
	if err != nil {
		return err
	}
	fmt.Printf("\n%-58s %9s %9s %9s %12s %10s\n", "page", "p50 ms", "p95 ms", "max ms", "whole p95 ms", "bytes")
	for _, path := range paths {
		first, size, err := p.ask(ctx, path, rounds)
		if err != nil {
			return err
		}
		whole, _, err := p.ask(ctx, waiting(path), rounds)
		if err != nil {
			return err
		}
		fmt.Printf("%-58s %9.1f %9.1f %9.1f %12.1f %10d\n", shortened(path), at(first, 0.5), at(first, 0.95), at(first, 1), at(whole, 0.95), size)
	}
	return nil
}

// waiting is the page with the parts that come later.
func waiting(path string) string {
	if strings.Contains(path, "?") {
		return path + "&wait=1"
	}
	return path + "?wait=1"
}

// ask returns the times that a page took, in order, and how many bytes its body has on the wire at most.
func (p pipeline) ask(ctx context.Context, path string, rounds int) (took []time.Duration, size int, err error) {
	for round := range warmUp + rounds {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.console+path, nil)
		if err != nil {
			return nil, 0, err
		}
		request.Header.Set("Accept-Encoding", "gzip") // and so the client leaves it as it comes
		began := time.Now()
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, 0, err
		}
		body, err := io.ReadAll(answer.Body)
		elapsed := time.Since(began)
		if answer.Body.Close(); err != nil {
			return nil, 0, fmt.Errorf("reading %s: %w", path, err)
		}
		if answer.StatusCode != http.StatusOK {
			return nil, 0, fmt.Errorf("%s: %s", path, answer.Status)
		}
		if size = max(size, len(body)); round >= warmUp {
			took = append(took, elapsed)
		}
	}
	slices.Sort(took)
	return took, size, nil
}

// at is the time that a share of them took at most, in milliseconds.
func at(took []time.Duration, share float64) float64 {
	return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
}

// shortened is the path without the middle of its long IDs.
func shortened(path string) string {
	if len(path) > 58 {
		return path[:40] + "…" + path[len(path)-17:]
	}
	return path
}
