package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace/millrace/listen"
)

// AdminConfig holds the settings of the admin listener.
type AdminConfig struct {
	Listen string     `help:"Address on which /healthz, /readyz and /metrics answer, for orchestrators and Prometheus; empty is none." default:"${admin_listen}" placeholder:"HOST:PORT"`
	TLS    listen.TLS `embed:"" prefix:"tls-"`
	Pprof  bool       `help:"Answer /debug/pprof/ on the admin listener, too. A profile shows names and IDs that are in memory, and taking one costs: switch it on where only operators reach that listener."`
}

// Validate reports every setting that cannot work.
func (c AdminConfig) Validate() error { return c.TLS.Validate("--admin-tls") }

// NewMetrics returns a registry for the metrics of a process's roles, with those of the Go runtime and of the process.
func NewMetrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// ServeAdmin answers on the admin listener until ctx ends.
func ServeAdmin(ctx context.Context, config AdminConfig, health *Health, metrics prometheus.Gatherer, logger *slog.Logger) error {
	if config.Listen == "" {
		<-ctx.Done()
		return nil
	}
	if err := config.Validate(); err != nil {
		return err
	}
	listener, err := listen.Open(ctx, listen.Config{Address: config.Listen, TLS: config.TLS, MaxConnections: maxConnections}, logger)
	if err != nil {
		return fmt.Errorf("listening for health checks and metrics (--admin-listen): %w", err)
	}
	server := &http.Server{Handler: admin(config, health, metrics, logger), ReadHeaderTimeout: listen.HeaderTimeout, ReadTimeout: listen.HeaderTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, WriteTimeout: writeTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for such an answer
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving health checks: %w", err)
	}
	return nil
}

// maxConnections may be open to the admin listener at the same time: orchestrators, Prometheus, a person or two.
const maxConnections = 200

// writeTimeout leaves room for the probes of readiness, and for a profile of the length that is asked for by default.
const writeTimeout = 40 * time.Second

func admin(config AdminConfig, health *Health, metrics prometheus.Gatherer, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state := health.Readiness(r.Context())
		w.Header().Set("Content-Type", "application/json")
		if !state.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if err := json.NewEncoder(w).Encode(state); err != nil {
			logger.Debug("answering /readyz", "error", err)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if config.Pprof {
		profile(mux)
	}
	return mux
}

// profile routes the profiles of the Go runtime. Importing net/http/pprof also puts them on http.DefaultServeMux, which
// nothing here serves.
func profile(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
