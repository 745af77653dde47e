// Package fleet runs Millrace for a test as it runs on a cluster: each role in processes of its own, which the test starts,
// kills, freezes and ends one by one, with senders at one end and a workflow API at the other. Its Kafka and ClickHouse can
// be taken away, and a ledger judges what came of it all.
package fleet

import (
	"cmp"
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// patience is how long the pipeline may take to finish what is left; it is no expectation.
const patience = 4 * time.Minute

// SessionTime is after how long a processor or dispatcher that does not answer loses its partitions.
const SessionTime = 6 * time.Second // the least that Kafka allows by default

// Options says what is different from most tests. The zero value is what they use.
type Options struct {
	Partitions  int              // of each topic; 4
	EventNumber func(int64) bool // of which events the second trigger starts a run; odd ones
	Dead        func(int64) bool // of which events the workflow API refuses the runs; none
	Anonymous   func(int64) bool // which events have no user, so that they cannot be mapped; none
	Refused     func(int64) bool // of which events ClickHouse refuses the row; none
	Binary      string           // of millrace; the one under test
	// Broker is the address of an embedded broker that the test runs by itself; else the broker is the one of rig.
	Broker string
	// Elsewhere says which events go to a second environment, with the same triggers and a workflow API of its own; nil is
	// none. There must be no repeats with it.
	Elsewhere func(int64) bool
}

// The environments; staging is there with Options.Elsewhere only.
const (
	production = "production"
	staging    = "staging"
)

// Fleet is the processes and what they stand between.
type Fleet struct {
	Kafka      kafka.Config
	ClickHouse *Link // between the processes and ClickHouse
	Workflows  *Workflows
	Elsewhere  *Workflows // of the second environment
	Ledger     *ledger.Ledger
	Source     schemas.Source
	Path       string // of the endpoint that events are posted to

	t       testing.TB
	options Options
	dsn     string
	dir     string
	byName  map[string]*Process
	log     *rig.Buffer

	addressesOf map[string][2]string // by the name of a process
}

// New prepares topics, tables and a catalog with one source and two triggers: one for every event, and one with a
// condition. No process runs yet.
func New(t testing.TB, clickhouse engine.Engine, options Options) *Fleet {
	t.Helper()
	options.Partitions = cmp.Or(options.Partitions, 4)
	options.Binary = cmp.Or(options.Binary, rig.Binary(t))
	if options.EventNumber == nil {
		options.EventNumber = func(number int64) bool { return number%2 == 1 }
	}
	cluster := cluster(t, options)
	f := &Fleet{t: t, options: options, dir: t.TempDir(), byName: map[string]*Process{}, log: &rig.Buffer{}, addressesOf: map[string][2]string{}}
	f.Kafka = kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "fleet",
		Topics: kafka.Settings{Partitions: options.Partitions, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	f.ClickHouse = NewLink(t, clickhouse.DialContext)
	database := "fleet_" + cluster.TopicPrefix[len("test-"):len(cluster.TopicPrefix)-1]
	f.dsn = "http://" + f.ClickHouse.Addr() + "/" + database + "?compress=none"
	f.Workflows, f.Elsewhere = newWorkflows(t), newWorkflows(t)
	t.Cleanup(f.cleanUp)
	if err := f.Kafka.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Run("migrate", "--clickhouse-dsn="+f.dsn)
	triggers, err := f.fillCatalog()
	if err != nil {
		t.Fatal(err)
	}
	f.Ledger = ledger.New(ledger.Options{
		Kafka: f.Kafka, ClickHouse: f.dsn, ExactlyOnce: f.isExactlyOnce(), Triggers: triggers,
		Dead: options.Dead, Unmapped: options.Anonymous, Refused: options.Refused, Effects: f.effects, Patience: patience,
	})
	return f
}

func cluster(t testing.TB, options Options) rig.Cluster {
	if options.Broker != "" {
		return rig.Cluster{Brokers: []string{options.Broker}, TopicPrefix: "test-own."}
	}
	return rig.Kafka(t)
}

// isExactlyOnce tells whether the broker bears transactions.
func (f *Fleet) isExactlyOnce() bool { return f.options.Broker == "" && rig.IsCrashSafe() }

func (f *Fleet) fillCatalog() ([]ledger.Trigger, error) {
	logger := slog.New(slog.DiscardHandler)
	reader, err := catalog.NewReader(f.Kafka, logger)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(f.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = reader.Run(ctx) // what goes wrong the writer says
	}()
	defer func() {
		stop()
		<-ended
	}()
	writer, err := catalog.NewWriter(f.Kafka, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	if err := f.ensureEnvironments(ctx, writer); err != nil {
		return nil, err
	}
	if f.Source, err = writer.CreateSource(ctx, schemas.Source{Name: "app"}); err != nil {
		return nil, err
	}
	f.Path = f.pathIn(production)
	triggers, err := f.createTriggers(ctx, writer, production, func(number int64) bool { return !f.isElsewhere(number) })
	if err != nil || f.options.Elsewhere == nil {
		return triggers, err
	}
	more, err := f.createTriggers(ctx, writer, staging, f.isElsewhere)
	return append(triggers, more...), err
}

// Run runs a command of the binary to its end, which must be a good one, and returns what it printed.
func (f *Fleet) Run(args ...string) string {
	f.t.Helper()
	out, err := exec.Command(f.options.Binary, args...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("millrace %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// KafkaFlags are those by which a command finds the fleet's topics.
func (f *Fleet) KafkaFlags() []string {
	return []string{"--kafka-brokers=" + f.Kafka.Brokers[0], "--kafka-topic-prefix=" + f.Kafka.TopicPrefix}
}

// ClickHouseFlag is that by which a command finds the fleet's tables.
func (f *Fleet) ClickHouseFlag() string { return "--clickhouse-dsn=" + f.dsn }

// Pause lets time pass: how long a fault lasts is what a test of it chooses.
func (f *Fleet) Pause(length time.Duration) {
	select {
	case <-time.After(length):
	case <-f.t.Context().Done():
	}
}

// Dir returns where a process keeps its files, so that a test can damage them.
func (f *Fleet) Dir(name string) string { return filepath.Join(f.dir, name) }

// Log returns what all processes have printed.
func (f *Fleet) Log() string { return f.log.String() }

func (f *Fleet) cleanUp() {
	for _, p := range f.byName {
		p.Kill()
	}
	if f.t.Failed() {
		f.t.Logf("log of the processes:\n%s", f.log)
	}
}
