package dispatcher_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		os.Exit(runChild(settings))
	}
	goleak.VerifyTestMain(m)
}

const patience = 20 * time.Second

// quick are settings that let a test see retries, commits and drains without waiting for them.
func quick() dispatcher.Config {
	return dispatcher.Config{
		Concurrency: 16, WorkflowConcurrency: 16, ReplayConcurrency: 4, Timeout: 5 * time.Second, FirstRetry: time.Millisecond, MaxRetry: 5 * time.Millisecond,
		RetryInPlace: time.Minute, MaxRetryAfter: time.Hour, MaxAge: 20 * time.Hour, BreakerDelay: 10 * time.Millisecond,
		MaxOutstanding: 5000, MaxOutstandingBytes: 1 << 27, MaxGap: 20000,
		CommitInterval: 10 * time.Millisecond, DrainTimeout: 2 * time.Second, SessionTime: 15 * time.Second,
		AllowNetworks: []string{"127.0.0.0/8"}, DeliveredMemory: 1 << 20,
	}
}

// shortTiers are the retry topics with waits that a test can wait for.
func shortTiers() []schemas.RetryTier {
	tiers := schemas.RetryTiers()
	for i := range tiers {
		tiers[i].Wait = time.Duration(i+1) * 50 * time.Millisecond
	}
	return tiers
}

// pipeline is a broker, a scripted workflow API, and the means to run dispatchers between them.
type pipeline struct {
	t       testing.TB
	cluster *kfake.Cluster // of newFaultyPipeline only
	kafka   kafka.Config
	client  *kgo.Client
	api     *workflowAPI
	log     *safeBuffer
	logger  *slog.Logger
	role    *dispatcher.Dispatcher // of the last run
	// destination is what every environment but "unknown" and those in others has. Both are set before run.
	destination dispatcher.Destination
	others      map[string]dispatcher.Destination
}

func newPipeline(t testing.TB, partitions int32, script func(call) reply) *pipeline {
	t.Helper()
	return newPipelineOn(t, rig.Kafka(t), partitions, script)
}

// newFaultyPipeline is newPipeline on a broker that the test can let fail: p.cluster.
func newFaultyPipeline(t testing.TB, partitions int32, script func(call) reply) *pipeline {
	t.Helper()
	fake, cluster := rig.Fake(t)
	p := newPipelineOn(t, cluster, partitions, script)
	p.cluster = fake
	return p
}

func newPipelineOn(t testing.TB, cluster rig.Cluster, partitions int32, script func(call) reply) *pipeline {
	t.Helper()
	p := &pipeline{t: t, log: &safeBuffer{}}
	p.logger = slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.kafka = kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: int(partitions), ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := p.kafka.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	var err error
	p.client, err = kgo.NewClient(append(p.kafka.Options(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.Close)
	p.api = startAPI(t, script)
	p.destination = dispatcher.Destination{BaseURL: p.api.URL, APIKey: "sk_canary"}
	return p
}

func (p *pipeline) Destination(environment string) (dispatcher.Destination, bool) {
	if other, found := p.others[environment]; found {
		return other, true
	}
	return p.destination, environment != "unknown"
}

// run starts a dispatcher. The returned function stops it and returns what Run did.
func (p *pipeline) run(config dispatcher.Config) (stop func() error) {
	p.t.Helper()
	if config.DeliveredDir == "" {
		config.DeliveredDir = p.t.TempDir()
	}
	d, err := dispatcher.New(config, p.kafka, p, p.logger)
	if err != nil {
		p.t.Fatal(err)
	}
	p.role = d
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	p.t.Cleanup(func() { _ = stop() })
	return stop
}

// newRun returns a run whose ID, event and trigger derive from name.
func newRun(name string) schemas.Run {
	return schemas.Run{
		Schema: schemas.Version, RunID: name, Environment: "production", Workflow: "order-confirmation",
		EventID: "event-" + name, CreatedAt: time.Now().UTC(),
		Request: []byte(`{"recipients":["` + name + `"],"data":{"n":9007199254740993,"text":"<Ä> & 😀"}}`),
	}
}

// newRunOf is newRun for a workflow.
func newRunOf(workflow, name string) schemas.Run {
	run := newRun(name)
	run.Workflow = workflow
	return run
}

func (p *pipeline) write(partition int32, key string, run schemas.Run) {
	p.t.Helper()
	value, err := schemas.Encode(run)
	if err != nil {
		p.t.Fatal(err)
	}
	p.writeBytes(partition, key, value)
}

func (p *pipeline) writeBytes(partition int32, key string, value []byte) {
	p.t.Helper()
	if err := p.client.ProduceSync(p.t.Context(), p.record(partition, key, value)).FirstErr(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) record(partition int32, key string, value []byte) *kgo.Record {
	return &kgo.Record{Topic: p.kafka.Topic(schemas.RunsTopic), Partition: partition, Key: []byte(key), Value: value}
}

// delivered reports whether the API has taken a run.
func (p *pipeline) delivered(run string) bool {
	return slices.ContainsFunc(p.api.calls(run), func(c call) bool { return c.answered == http.StatusOK })
}

// committed returns the committed offset of each partition of the runs topic that has one.
func (p *pipeline) committed() map[int32]int64 {
	p.t.Helper()
	offsets, err := kadm.NewClient(p.client).FetchOffsets(p.t.Context(), p.kafka.Group("dispatcher"))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		p.t.Fatal(err)
	}
	got := map[int32]int64{}
	for partition, offset := range offsets[p.kafka.Topic(schemas.RunsTopic)] {
		got[partition] = offset.At
	}
	return got
}

func (p *pipeline) waitCommitted(partition int32, want int64) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("partition %d committed at %d", partition, want), func() bool { return p.committed()[partition] == want })
}

// deliveries waits for n delivery records and returns them by run ID, each run's in order.
func (p *pipeline) deliveries(n int) map[string][]schemas.Delivery {
	p.t.Helper()
	byRun := map[string][]schemas.Delivery{}
	for _, delivery := range readTopic[schemas.Delivery](p, schemas.DeliveriesTopic, n) {
		byRun[delivery.RunID] = append(byRun[delivery.RunID], delivery)
	}
	return byRun
}

// deliveriesSoFar returns the delivery records of a run that Kafka has at this moment.
func (p *pipeline) deliveriesSoFar(run string) []schemas.Delivery {
	p.t.Helper()
	ends, err := kadm.NewClient(p.client).ListEndOffsets(p.t.Context(), p.kafka.Topic(schemas.DeliveriesTopic))
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	ends.Each(func(end kadm.ListedOffset) { n += int(end.Offset) })
	return p.deliveries(n)[run]
}

func readTopic[R schemas.Record](p *pipeline, topic string, n int) []R {
	p.t.Helper()
	client, err := kgo.NewClient(append(p.kafka.Options(), kgo.ConsumeTopics(p.kafka.Topic(topic)), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		p.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	var got []R
	for len(got) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			p.t.Fatalf("%s: %d of %d records: %v\nlog:\n%s", topic, len(got), n, err, p.log)
		}
		for _, record := range fetches.Records() {
			value, err := schemas.Decode[R](record.Value)
			if err != nil {
				p.t.Fatal(err)
			}
			got = append(got, value)
		}
	}
	return got
}

func (p *pipeline) eventually(what string, holds func() bool) {
	p.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("not seen within %s: %s\nlog:\n%s", patience, what, p.log)
		}
	}
}

// call is one request that the workflow API saw.
type call struct {
	path, key, body string
	header          http.Header
	nth             int // of the calls with this key, from 1
	at              time.Time
	index           int             // among all calls
	gone            <-chan struct{} // closed when the caller hangs up
	answered        int             // with this status; 0 while it is under way
}

type reply struct {
	status int
	header map[string]string
	body   string
}

func ok() reply { return reply{status: 200, body: `{"workflow_run_id":"wf-1"}`} }

// workflowAPI notes every call and answers as its script says.
type workflowAPI struct {
	*httptest.Server
	script func(call) reply
	mu     sync.Mutex
	seen   []call
}

func startAPI(t testing.TB, script func(call) reply) *workflowAPI {
	api := &workflowAPI{script: script}
	api.Server = httptest.NewServer(api)
	t.Cleanup(api.Close)
	return api
}

func (a *workflowAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	noted := a.note(r, string(body))
	answer := a.script(noted)
	a.mu.Lock()
	a.seen[noted.index].answered = answer.status
	a.mu.Unlock()
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

func (a *workflowAPI) note(r *http.Request, body string) call {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	c := call{path: r.URL.EscapedPath(), key: key, body: body, header: r.Header.Clone(), nth: 1, at: time.Now(), index: len(a.seen), gone: r.Context().Done()}
	for _, earlier := range a.seen {
		if earlier.key == key {
			c.nth++
		}
	}
	a.seen = append(a.seen, c)
	return c
}

// calls returns the calls for a run, or all when it is "".
func (a *workflowAPI) calls(run string) []call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if run == "" {
		return slices.Clone(a.seen)
	}
	return slices.DeleteFunc(slices.Clone(a.seen), func(c call) bool { return c.key != run })
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (p *pipeline) requireNoSecrets() {
	p.t.Helper()
	for _, secret := range []string{"sk_canary", "9007199254740993"} {
		if strings.Contains(p.log.String(), secret) {
			p.t.Errorf("the log holds %q:\n%s", secret, p.log)
		}
	}
}
