package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// world is the broker and what was started on it.
type world struct {
	settings settings
	broker   string // what it is, for tables
	cluster  kafka.Config
	closers  []func() error // in the order of starting
}

// newWorld reaches or starts the broker and makes topics of its own there. The world must be closed.
func newWorld(ctx context.Context, s settings) (*world, error) {
	w := &world{settings: s, broker: "Apache Kafka"}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	var err error
	address := w.settings.kafka
	if address == "" {
		if address, err = w.startBroker(); err != nil {
			return fmt.Errorf("starting the embedded broker: %w", err)
		}
	}
	if w.cluster, err = clusterAt(address, fmt.Sprintf("bench-ingest-%d.", time.Now().UnixMilli())); err != nil {
		return err
	}
	if err := w.cluster.Ping(ctx); err != nil {
		return fmt.Errorf("%w; is it running (make kafka-up)?", err)
	}
	if w.settings.kafka != "" {
		w.closers = append(w.closers, w.deleteTopics)
	}
	return w.cluster.EnsureTopics(ctx)
}

// startBroker starts the embedded broker as a process, so that its CPU time is nobody else's.
func (w *world) startBroker() (string, error) {
	w.broker = "embedded broker"
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return "", err
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(dir) })
	s, err := w.startServer(exec.Command(self, childArgument, brokerChild, dir))
	if err != nil {
		return "", err
	}
	return s.address, nil
}

// clusterAt is also what a child asks for, so that all use the same topics.
func clusterAt(address, prefix string) (kafka.Config, error) {
	cluster := kafka.Config{}
	if err := kong.ApplyDefaults(&cluster); err != nil {
		return cluster, err
	}
	cluster.Brokers, cluster.TopicPrefix = []string{address}, prefix
	cluster.Topics.LimitTotal(1 << 30) // the disk of a long comparison
	return cluster, nil
}

// topic is where every contender puts its events: nobody reads them, so they share its settings and partitions.
func (w *world) topic() string { return w.cluster.Topic(schemas.EventsTopic) }

// deleteTopics leaves a broker that was there before as it was.
func (w *world) deleteTopics() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	admin, err := w.cluster.Admin()
	if err != nil {
		return fmt.Errorf("deleting the topics: %w", err)
	}
	defer admin.Close()
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("deleting the topics: %w", err)
	}
	names := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, w.cluster.TopicPrefix) })
	if _, err := admin.DeleteTopics(ctx, names...); err != nil {
		return fmt.Errorf("deleting the topics: %w", err)
	}
	return nil
}

// close ends everything, last started first.
func (w *world) close() error {
	var problems []error
	for _, end := range slices.Backward(w.closers) {
		problems = append(problems, end())
	}
	return errors.Join(problems...)
}
