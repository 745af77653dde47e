package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// cli runs command lines against a real API over a real catalog.
type cli struct {
	t      *testing.T
	url    string
	reader *catalog.Reader
	kafka  kafka.Config
	writer *catalog.Writer
	asked  *replaysAsked
	stdin  string
	isTTY  bool
}

func newCLI(t *testing.T) *cli {
	t.Helper()
	cluster := rig.Kafka(t)
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 1, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	reader, err := catalog.NewReader(config, logger)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := catalog.NewWriter(config, reader, logger, catalog.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- reader.Run(ctx) }()
	asked := &replaysAsked{}
	role, err := api.New(api.Config{IngestURL: "http://ingest.example"}, reader, writer, &catalog.Keys{}, api.EventLog{}, nil, asked.replays(), logger)
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- role.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		writer.Close()
	})
	if err := defaultEnvironments(t.Context(), writer); err != nil {
		t.Fatal(err)
	}
	return &cli{t: t, url: "http://" + listener.Addr().String(), reader: reader, kafka: config, writer: writer, asked: asked}
}

// run runs a command line that must end with the status, and returns what it wrote to both outputs.
func (c *cli) run(status int, args ...string) (stdout, stderr string) {
	c.t.Helper()
	c.t.Setenv("MILLRACE_API_URL", c.url)
	var out, errs bytes.Buffer
	got := run(c.t.Context(), args, terminal{strings.NewReader(c.stdin), &out, &errs, c.isTTY})
	if got != status {
		c.t.Fatalf("millrace %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), got, status, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// shows is run of a command line that must succeed and write each text.
func (c *cli) shows(texts []string, args ...string) string {
	c.t.Helper()
	out, _ := c.run(0, args...)
	return c.contains(out, texts, args)
}

// fails is run of a command line that must fail and say each text.
func (c *cli) fails(texts []string, args ...string) {
	c.t.Helper()
	_, errs := c.run(exitFailed, args...)
	c.contains(errs, texts, args)
}

func (c *cli) contains(got string, texts, args []string) string {
	c.t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			c.t.Errorf("millrace %s: no %q in\n%s", strings.Join(args, " "), text, got)
		}
	}
	return got
}

func (c *cli) file(text string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}
