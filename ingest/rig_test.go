package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// fasthttp leaves two goroutines behind by design: a clock that never ends, and a cleaner that sleeps up to 10 s.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// patience bounds a failing test; it is no expectation.
const patience = 30 * time.Second

// world is an ingest over a broker, with a source in the catalog.
type world struct {
	role   *ingest.Ingest
	t      testing.TB
	client *http.Client
	broker *kfake.Cluster // of newFaultyWorld only
	kafka  kafka.Config
	writer *catalog.Writer
	source schemas.Source
	url    string // of ingest
	stop   func() error
	logged *lockedBuffer
	ahead  atomic.Int64 // of the clock of ingest and the catalog, a time.Duration
}

func settings() ingest.Config {
	return ingest.Config{
		MaxEventBytes: 512 << 10, AckTimeout: 5 * time.Second, MaxInFlight: 1000, BufferBytes: 64 << 20, Linger: time.Millisecond,
		MaxConnections: 1000, ReadTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second, DrainTimeout: 3 * time.Second,
		RejectionsPerSecond: 1000,
	}
}

func newWorld(t testing.TB, change func(*ingest.Config)) *world {
	t.Helper()
	return newWorldOn(t, rig.Kafka(t), change)
}

// newFaultyWorld is newWorld on a broker that the test can let fail: w.broker.
func newFaultyWorld(t testing.TB, change func(*ingest.Config)) *world {
	t.Helper()
	fake, cluster := rig.Fake(t, kfake.SleepOutOfOrder())
	w := newWorldOn(t, cluster, change)
	w.broker = fake
	return w
}

func newWorldOn(t testing.TB, cluster rig.Cluster, change func(*ingest.Config)) *world {
	t.Helper()
	w := &world{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, logged: &lockedBuffer{}, kafka: kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 3, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}}
	if err := w.kafka.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	reader := w.openCatalog()
	config := settings()
	if change != nil {
		change(&config)
	}
	role, err := ingest.New(config, w.kafka, reader, slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	role.SetClock(w.now)
	w.role = role
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- role.Serve(ctx, listener) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
	// The connection waits in the listener's queue until ingest takes it.
	if got := w.request(http.MethodGet, w.url+"/readyz", nil); got.status != http.StatusOK {
		t.Fatalf("not ready: %+v", got)
	}
	return w
}

// now is the clock of ingest and the catalog.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *world) openCatalog() *catalog.Reader {
	reader, err := catalog.NewReader(w.kafka, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	if w.writer, err = catalog.NewWriter(w.kafka, reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{Now: w.now}); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	w.t.Cleanup(func() {
		w.writer.Close()
		cancel()
		<-ended
	})
	for _, name := range []string{"development", "production"} {
		if err := w.writer.EnsureEnvironment(w.t.Context(), schemas.Environment{Name: name}); err != nil {
			w.t.Fatal(err)
		}
	}
	if w.source, err = w.writer.CreateSource(w.t.Context(), schemas.Source{Name: "app"}); err != nil {
		w.t.Fatal(err)
	}
	return reader
}

// endpoint returns the URL of the source's endpoint in an environment, after change has been applied to it.
func (w *world) endpoint(environment string, change func(*schemas.Endpoint)) string {
	w.t.Helper()
	if change != nil {
		_, err := w.writer.UpdateSource(w.t.Context(), w.source.ID, func(s *schemas.Source) error {
			e := s.Endpoints[environment]
			change(&e)
			s.Endpoints[environment] = e
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return w.url + "/v1/receive/" + w.source.Endpoints[environment].Key
}

// answer is an HTTP answer, with the error it holds.
type answer struct {
	status int
	header http.Header
	body   string
	code   string
	field  string
	text   string
}

// request makes a request with the headers given as name, value, name, value.
func (w *world) request(method, url string, body io.Reader, headers ...string) answer {
	w.t.Helper()
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(read)}
	var decoded struct {
		Error struct{ Code, Message, Field string }
	}
	if len(read) > 0 && json.Unmarshal(read, &decoded) == nil {
		got.code, got.field, got.text = decoded.Error.Code, decoded.Error.Field, decoded.Error.Message
	}
	return got
}

func (w *world) post(url, body string, headers ...string) answer {
	w.t.Helper()
	return w.request(http.MethodPost, url, strings.NewReader(body), headers...)
}

// read returns the first count records of a topic.
func (w *world) read(topic string, count int) []*kgo.Record {
	w.t.Helper()
	client, err := kgo.NewClient(append(w.kafka.Options(), kgo.ConsumeTopics(w.kafka.Topic(topic)), kgo.FetchMaxWait(50*time.Millisecond))...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	var records []*kgo.Record
	for len(records) < count {
		records = append(records, client.PollFetches(ctx).Records()...)
		if ctx.Err() != nil {
			w.t.Fatalf("%d records in %s, want %d", len(records), topic, count)
		}
	}
	return records
}

// lockedBuffer collects log lines of several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
