package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/embedded/receiver"
)

// announce waits until events can be posted and prints where everything is.
func (c *devCommand) announce(ctx context.Context, reader *catalog.Reader, outside *embedded.Embedded) error {
	if err := awaitReady(ctx, c.API.IngestURL+"/readyz"); err != nil {
		return err
	}
	fmt.Println(c.banner(reader.Snapshot(), outside))
	return nil
}

// awaitReady asks url until it answers 200 or ctx ends.
func awaitReady(ctx context.Context, url string) error {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		if isReady(ctx, url) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func isReady(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (c *devCommand) banner(snapshot *catalog.Snapshot, outside *embedded.Embedded) string {
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
	var endpoint string
	if source, found := snapshot.Source(demoSource); found {
		for _, environment := range snapshot.Environments() {
			endpoint = api.EndpointURL(c.API.IngestURL, source.Endpoints[environment.Name].Key)
			row(name, endpoint, "source demo, "+environment.Name)
			name = ""
		}
		endpoint = api.EndpointURL(c.API.IngestURL, source.Endpoints["development"].Key)
	}
	row("management", "http://"+reachable(c.API.Listen)+"/api/v1/events", "")
	row("ClickHouse", outside.ClickHouseURL, "read-only, database "+c.ClickHouse.Database)
	row("Kafka", strings.Join(c.Kafka.Brokers, ","), "")
	row("workflow API", c.WorkflowAPI.URL, "where runs are started")
	if endpoint != "" {
		fmt.Fprintf(&b, "\nPost an event:\n\n  curl -i %s -H 'Content-Type: application/json' -d '%s'\n", endpoint, demoEvent)
	}
	return b.String()
}

// showRun prints a run that has reached the built-in receiver.
func showRun(run receiver.Received) { fmt.Println(run) }
