package telemetry_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/telemetry"
)

func TestReadinessIsAnsweredWithWhatIsMissing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	var isReady atomic.Bool
	ctx, stop := context.WithCancel(t.Context())
	health := telemetry.NewHealth("processor", "ingest")
	health.Report("processor", func(context.Context) telemetry.Readiness {
		return telemetry.Readiness{Ready: isReady.Load(), Partitions: map[int32]string{3: "dedup index: 10 of 20 events"}}
	})
	ended := make(chan error, 1)
	go func() {
		ended <- telemetry.ServeAdmin(ctx, telemetry.AdminConfig{Listen: address}, health, telemetry.NewMetrics(), slog.New(slog.DiscardHandler))
	}()
	if status, body := get(t, "http://"+address+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "10 of 20") {
		t.Errorf("%d %s", status, body)
	}
	isReady.Store(true)
	if status, body := get(t, "http://"+address+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "its start") {
		t.Errorf("one of two roles has not started: %d %s", status, body)
	}
	health.Report("ingest", func(context.Context) telemetry.Readiness { return telemetry.WaitingFor() })
	if status, body := get(t, "http://"+address+"/readyz"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, "http://"+address+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	if status, body := get(t, "http://"+address+"/metrics"); status != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d %s", status, body)
	}
	if status, _ := get(t, "http://"+address+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are shown to everybody: %d", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// get asks until somebody listens.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		response, err := http.Get(url)
		if err == nil {
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode, string(body)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestProfilesAreShownWhereTheyAreWanted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- telemetry.ServeAdmin(ctx, telemetry.AdminConfig{Listen: address, Pprof: true}, telemetry.NewHealth(), telemetry.NewMetrics(), slog.New(slog.DiscardHandler))
	}()
	for _, path := range []string{"", "goroutine?debug=1", "heap?debug=1", "profile?seconds=1"} {
		if status, body := get(t, "http://"+address+"/debug/pprof/"+path); status != http.StatusOK || body == "" {
			t.Errorf("%s: %d %.100s", path, status, body)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRoleThatIsStuckIsNotReady(t *testing.T) {
	health := telemetry.NewHealth("eventlog")
	held := make(chan struct{})
	defer close(held)
	health.Report("eventlog", func(context.Context) telemetry.Readiness {
		<-held
		return telemetry.WaitingFor()
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if state := health.Readiness(ctx); state.Ready || !strings.Contains(strings.Join(state.Roles["eventlog"].Waiting, ""), "has not ended") {
		t.Errorf("%+v", state)
	}
}

func TestTraceSettingsThatCannotWorkAreListedTogether(t *testing.T) {
	err := telemetry.TraceConfig{Ratio: 2, Endpoint: "collector:4318"}.Validate()
	if err == nil || !strings.Contains(err.Error(), "ratio") || !strings.Contains(err.Error(), "endpoint") {
		t.Error(err)
	}
	if tracer, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{Ratio: .5}, "test", slog.New(slog.DiscardHandler)); tracer != nil || err != nil {
		t.Errorf("traces are off: %v, %v", tracer, err)
	}
}
