package main

import (
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

func TestDestinationsFollowTheCatalog(t *testing.T) {
	c := newCLI(t)
	t.Setenv("FALLBACK_KEY", "sk_fallback")
	t.Setenv("OWN_KEY", "sk_own")
	settings := workflowAPIConfig{URL: "https://fallback.example", KeyRef: "env:FALLBACK_KEY"}
	known := newDestinations(c.reader, settings, slog.New(slog.DiscardHandler))
	f := func(want dispatcher.Destination, settings ...string) {
		t.Helper()
		c.run(0, append([]string{"env", "create", "e"}, settings...)...)
		if err := c.reader.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, found := known.Destination("e"); !found || got != want {
			t.Errorf("%v: got %+v, %t", settings, got, found)
		}
		c.run(0, "env", "delete", "e", "-y")
	}
	f(dispatcher.Destination{BaseURL: "https://fallback.example", APIKey: "sk_fallback"})
	f(dispatcher.Destination{BaseURL: "https://fallback.example", APIKey: "sk_fallback", Order: dispatcher.Strict, Concurrency: 3, RateLimit: 2.5},
		"--order=strict", "--concurrency=3", "--rate-limit=2.5")
	f(dispatcher.Destination{BaseURL: "https://own.example"}, "--kind=http", "--order=relaxed", "--base-url=https://own.example")
	f(dispatcher.Destination{BaseURL: "https://own.example", APIKey: "sk_own", Concurrency: 7},
		"--base-url=https://own.example", "--api-key=env:OWN_KEY", "--concurrency=7")
	f(dispatcher.Destination{Kind: dispatcher.KafkaOnly}, "--kind=none", "--order=strict", "--concurrency=3")
	if _, found := known.Destination("nowhere"); found {
		t.Error("an environment is known that is not in the catalog")
	}
}

func TestEnvironmentWhoseKeyCannotBeResolvedWaitsInItsOrder(t *testing.T) {
	c := newCLI(t)
	c.run(0, "env", "create", "e", "--base-url=https://own.example", "--api-key=env:MILLRACE_TEST_NO_SUCH_KEY", "--order=strict")
	if err := c.reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	known := newDestinations(c.reader, workflowAPIConfig{URL: "https://fallback.example"}, slog.New(slog.DiscardHandler))
	if got, found := known.Destination("e"); !found || got != (dispatcher.Destination{Order: dispatcher.Strict}) {
		t.Errorf("got %+v, %t", got, found)
	}
}

// TestEnvironmentThatIsNotUnderstoodWaits has records that a newer version wrote: of a kind that is new, and of a form.
func TestEnvironmentThatIsNotUnderstoodWaits(t *testing.T) {
	c := newCLI(t)
	client, err := kgo.NewClient(c.kafka.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	f := func(value string, wantFound bool) {
		t.Helper()
		record := &kgo.Record{Topic: c.kafka.Topic(schemas.CatalogTopic), Key: []byte("environment/e"), Value: []byte(value)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := c.reader.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		known := newDestinations(c.reader, workflowAPIConfig{URL: "https://fallback.example"}, slog.New(slog.DiscardHandler))
		if got, found := known.Destination("e"); found != wantFound || got != (dispatcher.Destination{}) {
			t.Errorf("%s: got %+v, %t", value, got, found)
		}
	}
	f(`{"schema":1,"environment":{"name":"e","revision":1,"workflow_api":{"kind":"grpc","base_url":"https://own.example"}}}`, true)
	f(`{"schema":2,"environment":{"name":"e","apis":[]}}`, false)
}
