package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/embedded/receiver"
	"github.com/millrace/millrace/listen"
)

// announce waits until events can be posted and prints where everything is.
func (c *devCommand) announce(ctx context.Context, reader *catalog.Reader, keys *catalog.Keys, outside *embedded.Embedded) error {
	if c.Ingest.TLS.ClientCA == "" { // else it would not answer here: no certificate of a client is at hand
		ingest := listen.Config{Address: c.Ingest.Listen, TLS: c.Ingest.TLS}
		if err := awaitReady(ctx, ingest.Reachable()+"/readyz"); err != nil {
			return err
		}
	}
	text, err := c.banner(reader.Snapshot(), keys, outside)
	if err != nil {
		return err
	}
	fmt.Println(text)
	return nil
}

// awaitReady asks url until it answers 200 or ctx ends.
func awaitReady(ctx context.Context, url string) error {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	// The certificate is for those who call this process by its name. Whoever else may answer here is told nothing.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for {
		if isReady(ctx, client, url) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func isReady(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (c *devCommand) banner(snapshot *catalog.Snapshot, keys *catalog.Keys, outside *embedded.Embedded) (string, error) {
	var b strings.Builder
	b.WriteString("\nMillrace is up.")
	if len(outside.Brokers) > 0 {
		b.WriteString(" Kafka is embedded: one node, no replication, at least once.")
	}
	b.WriteString("\n\n")
	row := func(name, url, remark string) {
		if url != "" {
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-13s %-72s %s", name, url, remark), " ") + "\n")
		}
	}
	name := "events"
	var first string
	if source, found := snapshot.Source(demoSource); found {
		for _, environment := range snapshot.Environments() {
			stored, exists := source.Endpoints[environment.Name]
			if !exists {
				continue
			}
			key, err := keys.Open(stored.Key)
			if err != nil {
				return "", fmt.Errorf("showing the demo source's endpoint: %w", err)
			}
			endpoint := api.EndpointURL(c.API.IngestURL, key)
			first = cmp.Or(first, endpoint) // development, by name
			row(name, endpoint, "source demo, "+environment.Name)
			name = ""
		}
	}
	if c.Console.Listen != "" {
		row("console", listen.Config{Address: c.Console.Listen, TLS: c.Console.TLS}.Reachable(), "in a browser")
	}
	row("management", c.apiURL()+"/api/v1/events", c.access())
	row("ClickHouse", outside.ClickHouseURL, "read-only, database "+c.ClickHouse.Database())
	row("Kafka", strings.Join(c.Kafka.Brokers, ","), "")
	row("workflow API", c.WorkflowAPI.URL, "where runs are started")
	if first != "" {
		fmt.Fprintf(&b, "\nPost an event:\n\n  curl -i %s -H 'Content-Type: application/json' -d '%s'\n", first, demoEvent)
	}
	return b.String(), nil
}

// access says what the management API asks for.
func (c *devCommand) access() string {
	if len(c.API.Tokens) == 0 {
		return "no token, this machine only"
	}
	return "bearer token"
}

// showRun prints a run that has reached the built-in receiver.
func showRun(run receiver.Received) { fmt.Println(run) }
