package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one goroutine for the Date header for the life of the process.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// A stopped server's cleaner of idle workers sleeps up to 10 s before it looks whether it should end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// server is an API over a real catalog. Its event log cannot be reached; that is tested in eventlog/query and end to
// end. Every exchange is held against the OpenAPI document.
type server struct {
	t        *testing.T
	url      string
	kafka    kafka.Config
	token    string
	contract *rig.Contract
	role     *api.API
	writer   *catalog.Writer
	replays  *replayRole
	logged   *rig.Buffer
}

// newServer starts an API with tokens as in its settings; without any it serves this machine.
func newServer(t *testing.T, tokens ...string) server {
	t.Helper()
	cluster := rig.Kafka(t)
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 1, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged := &rig.Buffer{}
	logger := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	reader, err := catalog.NewReader(config, logger)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := catalog.NewKeys("")
	if err != nil {
		t.Fatal(err)
	}
	writer, err := catalog.NewWriter(config, reader, logger, catalog.WriterOptions{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	nowhere, err := clickhouse.Open(&clickhouse.Options{Addr: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	replays := &replayRole{}
	role, err := api.New(api.Config{IngestURL: "http://ingest.example/", Tokens: tokens}, reader, writer, keys, api.EventLog{Log: query.New(nowhere)}, nil, replays.asked(), logger)
	if err != nil {
		t.Fatal(err)
	}
	contract, err := rig.NewContract(schemas.OpenAPI())
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
	go func() { ended <- role.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		writer.Close()
		nowhere.Close()
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Log(logged)
		}
	})
	for _, name := range []string{"development", "production"} {
		if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return server{t: t, url: "http://" + listener.Addr().String(), kafka: config, contract: contract, role: role, writer: writer, replays: replays, logged: logged}
}

// as returns the server as seen with a token.
func (s server) as(token string) server {
	s.token = token
	return s
}

// send makes a request, whose answer must be as the OpenAPI document says.
func (s server) send(method, path, body string, header http.Header) rig.Answer {
	s.t.Helper()
	if header == nil {
		header = http.Header{}
	}
	if s.token != "" {
		header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := rig.Request(method, s.url+path, []byte(body), header)
	if err != nil {
		s.t.Fatal(err)
	}
	withoutQuery, _, _ := strings.Cut(path, "?")
	if err := s.contract.Check(rig.Exchange{Method: method, Path: withoutQuery, Sent: []byte(body), Answer: answer}); err != nil {
		s.t.Error(err)
	}
	return answer
}

// call makes a request and returns its decoded answer, which must have the status wanted.
func (s server) call(method, path, body string, want int) map[string]any {
	s.t.Helper()
	return s.callWith(nil, method, path, body, want)
}

func (s server) callWith(header http.Header, method, path, body string, want int) map[string]any {
	s.t.Helper()
	answer := s.send(method, path, body, header)
	if answer.Status != want {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, answer.Status, answer.Body, want)
	}
	decoded := map[string]any{}
	if len(answer.Body) == 0 {
		return decoded
	}
	if err := json.Unmarshal(answer.Body, &decoded); err != nil {
		s.t.Fatalf("%s: %v", answer.Body, err)
	}
	return decoded
}

// refused expects an error answer.
func (s server) refused(method, path, body string, status int, code, field string) map[string]any {
	s.t.Helper()
	return s.refusedWith(nil, method, path, body, status, code, field)
}

func (s server) refusedWith(header http.Header, method, path, body string, status int, code, field string) map[string]any {
	s.t.Helper()
	problem, _ := s.callWith(header, method, path, body, status)["error"].(map[string]any)
	gotField, _ := problem["field"].(string)
	if problem["code"] != code || gotField != field || problem["message"] == "" {
		s.t.Errorf("%s %s %s: %v, want %s, field %q", method, path, body, problem, code, field)
	}
	return problem
}

// golden compares an answer with its file.
func (s server) golden(name, method, path, body string, want int) {
	s.t.Helper()
	answer := s.send(method, path, body, nil)
	if answer.Status != want {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, answer.Status, answer.Body, want)
	}
	rig.Golden(s.t, name, answer.Body)
}

func items(list map[string]any) []any {
	found, _ := list["items"].([]any)
	return found
}
