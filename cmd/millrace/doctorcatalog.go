package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/doctor"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/secretref"
)

// checkCatalog reads the catalog, and looks at what it refers to.
func (c *doctorCommand) checkCatalog(ctx context.Context) []doctor.Finding {
	snapshot, err := c.readCatalog(ctx)
	if err != nil {
		return []doctor.Finding{doctor.Failed("catalog", err, "it is in Kafka, in topic "+c.Kafka.Topic(schemas.CatalogTopic)+"; see what is said about Kafka and the topics")}
	}
	findings := []doctor.Finding{doctor.JudgeCatalog(doctor.Catalog{
		Environments: len(snapshot.Environments()), Sources: len(snapshot.Sources()), Triggers: len(snapshot.Triggers()),
		Foreign: snapshot.Foreign(),
	})}
	findings = append(findings, c.checkWorkflowAPIs(ctx, snapshot)...)
	return append(findings, doctor.JudgeSecrets(c.secrets(snapshot))...)
}

func (c *doctorCommand) readCatalog(ctx context.Context) (*catalog.Snapshot, error) {
	reader, err := catalog.NewReader(c.Kafka, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = reader.Run(reading) }) // its errors are those of Ready
	defer running.Wait()
	defer stop()
	if err := reader.Ready(ctx); err != nil {
		return nil, err
	}
	return reader.Snapshot(), nil
}

// checkWorkflowAPIs connects to each, side by side.
func (c *doctorCommand) checkWorkflowAPIs(ctx context.Context, snapshot *catalog.Snapshot) []doctor.Finding {
	triggers := map[string]int{}
	for _, trigger := range snapshot.Triggers() {
		if trigger.Status == schemas.TriggerActive {
			triggers[trigger.Environment]++
		}
	}
	var called []schemas.Environment
	for _, environment := range snapshot.Environments() {
		if environment.Workflows.WithDefaults().Kind == schemas.WorkflowHTTP {
			called = append(called, environment)
		}
	}
	findings := make([]doctor.Finding, len(called))
	var connecting sync.WaitGroup
	for i, environment := range called {
		connecting.Go(func() {
			found := doctor.WorkflowAPI{Environment: environment.Name, URL: environment.Workflows.BaseURL, Triggers: triggers[environment.Name]}
			if found.URL == "" {
				found.URL = c.WorkflowAPI.URL
			}
			if found.URL != "" {
				found.Err = connect(ctx, found.URL)
			}
			findings[i] = doctor.JudgeWorkflowAPI(found)
		})
	}
	connecting.Wait()
	return findings
}

// connect opens a connection, with a handshake where it is encrypted, and asks for nothing: no request can start a run.
func connect(ctx context.Context, to string) error {
	parsed, err := url.Parse(to)
	if err != nil || parsed.Hostname() == "" {
		return fmt.Errorf("%q is no URL", to)
	}
	port := parsed.Port()
	dial := new(net.Dialer).DialContext
	switch {
	case parsed.Scheme == "https":
		dial = new(tls.Dialer).DialContext
		if port == "" {
			port = "443"
		}
	case port == "":
		port = "80"
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(parsed.Hostname(), port))
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", to, err)
	}
	return conn.Close()
}

// secrets resolves every reference of the catalog and of the settings, and keeps none.
func (c *doctorCommand) secrets(snapshot *catalog.Snapshot) []doctor.Secret {
	var all []doctor.Secret
	add := func(of, ref string) {
		if ref != "" {
			_, err := secretref.Resolve(ref)
			all = append(all, doctor.Secret{Of: of, Ref: ref, Err: err})
		}
	}
	add("key of the workflow API (--workflow-api-key)", c.WorkflowAPI.KeyRef)
	for _, environment := range snapshot.Environments() {
		add("key of the workflow API of "+environment.Name, environment.Workflows.APIKeyRef)
	}
	for _, source := range snapshot.Sources() {
		for name, endpoint := range source.Endpoints {
			if endpoint.Signature != nil {
				add("signature of "+source.Name+" in "+name, endpoint.Signature.SecretRef)
			}
		}
	}
	return all
}
