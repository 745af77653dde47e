package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one goroutine for the Date header for the life of the process.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// A stopped server's cleaner of idle workers sleeps up to 10 s before it looks whether it should end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// server is an API over a real catalog. The event log is tested in eventlog/query and end to end.
type server struct {
	t   *testing.T
	url string
}

func newServer(t *testing.T) server {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	config := kafka.Config{
		Brokers: broker.ListenAddrs(), TopicPrefix: "test.", ClientID: "test",
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
	writer, err := catalog.NewWriter(config, reader, logger)
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
	role, err := api.New(api.Config{IngestURL: "http://ingest.example/"}, reader, writer, &catalog.Keys{}, nil, logger)
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
		http.DefaultClient.CloseIdleConnections()
	})
	for _, name := range []string{"development", "production"} {
		if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return server{t, "http://" + listener.Addr().String()}
}

// call makes a request and returns its decoded answer, which must have the status wanted.
func (s server) call(method, path, body string, want int) map[string]any {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != want {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, response.StatusCode, answer, want)
	}
	decoded := map[string]any{}
	if len(answer) == 0 {
		return decoded
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		s.t.Fatalf("%s: %v", answer, err)
	}
	return decoded
}

// refused expects an error answer.
func (s server) refused(method, path, body string, status int, code, field string) map[string]any {
	s.t.Helper()
	problem, _ := s.call(method, path, body, status)["error"].(map[string]any)
	gotField, _ := problem["field"].(string)
	if problem["code"] != code || gotField != field || problem["message"] == "" {
		s.t.Errorf("%s %s %s: %v, want %s, field %q", method, path, body, problem, code, field)
	}
	return problem
}

func items(list map[string]any) []any {
	found, _ := list["items"].([]any)
	return found
}

func TestSourceIsCreatedWithItsEndpoints(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app","description":"our shop"}`, http.StatusCreated)
	id, _ := made["id"].(string)
	if !strings.HasPrefix(id, "src_") || made["name"] != "app" || made["description"] != "our shop" {
		t.Fatalf("made %v", made)
	}
	endpoints, _ := made["endpoints"].(map[string]any)
	for _, environment := range []string{"development", "production"} {
		endpoint, _ := endpoints[environment].(map[string]any)
		key, _ := endpoint["key"].(string)
		if key == "" || endpoint["url"] != "http://ingest.example/v1/receive/"+key || endpoint["dedup_window"] != "24h0m0s" {
			t.Errorf("%s: %v", environment, endpoint)
		}
	}
	for _, path := range []string{"/api/v1/sources/app", "/api/v1/sources/" + id} {
		if got := s.call("GET", path, "", http.StatusOK); got["id"] != id {
			t.Errorf("%s: %v", path, got)
		}
	}
	list := s.call("GET", "/api/v1/sources", "", http.StatusOK)
	if next, present := list["next_cursor"]; len(items(list)) != 1 || !present || next != nil {
		t.Errorf("list: %v", list)
	}
}

func TestSourceSettingsChangeOneByOne(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app","endpoints":{"production":{"dedup_window":"1h"}}}`, http.StatusCreated)
	key := endpoint(made, "production")["key"]
	changed := s.call("PATCH", "/api/v1/sources/app", `{"endpoints":{"production":{"disabled":true,"signature":{"scheme":"segment","secret":"env:S"}}}}`, http.StatusOK)
	got := endpoint(changed, "production")
	if got["key"] != key || got["dedup_window"] != "1h0m0s" || got["disabled"] != true || got["signature"] == nil || changed["revision"] != 2.0 {
		t.Errorf("changed %v", changed)
	}
	changed = s.call("PATCH", "/api/v1/sources/app", `{"endpoints":{"production":{"dedup_window":"off","signature":{"scheme":""}}}}`, http.StatusOK)
	if got := endpoint(changed, "production"); got["dedup_window"] != "off" || got["signature"] != nil {
		t.Errorf("changed %v", changed)
	}
}

func endpoint(source map[string]any, environment string) map[string]any {
	endpoints, _ := source["endpoints"].(map[string]any)
	found, _ := endpoints[environment].(map[string]any)
	return found
}

func TestTriggerLivesThroughCreatePatchDelete(t *testing.T) {
	s := newServer(t)
	source := s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	made := s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"app","event":"Signed Up","workflow":"welcome",
		"condition":"data.plan == \"pro\"","mapping":{"recipients":"user_id","data":{"plan":"data.plan"}}}`, http.StatusCreated)
	if made["status"] != "active" || made["revision"] != 1.0 || made["source_id"] != source["id"] {
		t.Errorf("made %v", made)
	}
	id, _ := made["id"].(string)
	changed := s.call("PATCH", "/api/v1/triggers/"+id, `{"status":"inactive"}`, http.StatusOK)
	if changed["status"] != "inactive" || changed["revision"] != 2.0 || changed["condition"] != made["condition"] {
		t.Errorf("changed %v", changed)
	}
	for query, want := range map[string]int{"": 1, "?environment=production": 1, "?environment=development": 0, "?source=app": 1, "?event=Other": 0} {
		if got := items(s.call("GET", "/api/v1/triggers"+query, "", http.StatusOK)); len(got) != want {
			t.Errorf("triggers%s: %v", query, got)
		}
	}
	s.call("DELETE", "/api/v1/triggers/"+id, "", http.StatusNoContent)
	s.refused("GET", "/api/v1/triggers/"+id, "", http.StatusNotFound, "not_found", "")
	s.refused("DELETE", "/api/v1/triggers/"+id, "", http.StatusNotFound, "not_found", "")
}

func TestTriggerThatDoesNotCompileIsRefusedWithItsPosition(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	create := func(rest string) string {
		return `{"environment":"production","source_id":"app","event":"E","workflow":"w",` + rest + `}`
	}
	problem := s.refused("POST", "/api/v1/triggers", create(`"condition":"data.total >"`), 422, "invalid_expression", "condition")
	if problem["line"] != 1.0 || problem["column"] == nil {
		t.Errorf("no position: %v", problem)
	}
	s.refused("POST", "/api/v1/triggers", create(`"mapping":{"data":{"x":{"expr":"1 +"}}}`), 422, "invalid_expression", "mapping.data.x")
	s.refused("POST", "/api/v1/triggers", create(`"mapping":{"recipients":"nowhere.id"}`), 422, "invalid_expression", "mapping.recipients")

	made := s.call("POST", "/api/v1/triggers", create(`"condition":"true"`), http.StatusCreated)
	id, _ := made["id"].(string)
	s.refused("PATCH", "/api/v1/triggers/"+id, `{"condition":"data."}`, 422, "invalid_expression", "condition")
	if kept := s.call("GET", "/api/v1/triggers/"+id, "", http.StatusOK); kept["condition"] != "true" || kept["revision"] != 1.0 {
		t.Errorf("a refused change was saved: %v", kept)
	}
}

func TestBadRequestsAreNamed(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	s.refused("POST", "/api/v1/sources", `{`, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", ``, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", `{"name":"a"} {}`, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", `{"nickname":"a"}`, 422, "invalid", "nickname")
	s.refused("POST", "/api/v1/sources", `{"name":7}`, 422, "invalid", "name")
	s.refused("POST", "/api/v1/sources", `{"name":"app"}`, 422, "invalid", "name")
	s.refused("POST", "/api/v1/sources", `{"name":"b","endpoints":{"production":{"dedup_window":"1s"}}}`, 422, "invalid", "endpoints.production.dedup_window")
	s.refused("POST", "/api/v1/triggers", `{"environment":"staging","source_id":"app","event":"E","workflow":"w"}`, 422, "invalid", "environment")
	s.refused("GET", "/api/v1/triggers?source=nobody", "", 404, "not_found", "")
	s.refused("GET", "/api/v1/events?limit=0", "", 400, "invalid_filter", "limit")
	s.refused("GET", "/api/v1/nothing", "", 404, "not_found", "")
	s.refused("PUT", "/api/v1/sources", "", 405, "method_not_allowed", "")
	s.refused("POST", "/api/v1/sources", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "too_large", "")
}
