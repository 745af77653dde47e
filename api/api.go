// Package api is the management and query API under /api/v1: environments, sources and triggers, which it writes to the
// catalog, and events and runs, which it reads from the event log. Answers are JSON; lists are {"items", "next_cursor"},
// errors are {"error": {"code", "message", "field", "problems"}}. schemas/openapi.json describes every call. Who asks
// shows a bearer token, whose scope says what it may do; without tokens only this machine is served.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// Config holds the API's settings.
type Config struct {
	Listen    string     `help:"Address on which the management API listens. One that others reach needs tokens." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	TLS       listen.TLS `embed:"" prefix:"tls-"`
	IngestURL string     `help:"What the URLs of endpoints begin with, as senders reach ingest." placeholder:"URL"`
	SQL       SQLConfig  `embed:"" prefix:"sql-"`
	Tokens    []string   `help:"A bearer token for the management API: its name, what it may do (read, write or admin), and where it is, env:NAME or file:PATH. Can be repeated." placeholder:"NAME:SCOPE:REF"`
}

// Validate reports every setting that cannot work, tokens that are not where they should be included.
func (c Config) Validate() error {
	_, err := resolveTokens(c.Tokens)
	err = errors.Join(err, c.SQL.validate(), c.TLS.Validate("--api-tls"))
	if c.Listen == "" {
		return err // Run sees on what it serves
	}
	return errors.Join(err, checkListen(c.Listen, len(c.Tokens)))
}

// API is the role.
type API struct {
	config Config
	tokens []token
	reader *catalog.Reader
	writer *catalog.Writer
	keys   *catalog.Keys
	log    *query.Log
	sql    *query.SQL // nil where SQL is off
	resend Resend
	logger *slog.Logger

	replays Replays
	paces   *paces
	dryRuns chan struct{} // has one for each that is under way

	parameters parameters
	metrics    *telemetry.HTTPMetrics
}

// EventLog is what the API reads, SQL nil where users may not write their own.
type EventLog struct {
	*query.Log
	SQL *query.SQL
}

// New returns the API over a catalog, whose reader must be running and whose endpoint keys are opened with keys, and an
// event log. Runs are sent again with resend, and replays asked through replays. The tokens are read now.
func New(config Config, reader *catalog.Reader, writer *catalog.Writer, keys *catalog.Keys, log EventLog, resend Resend, replays Replays, logger *slog.Logger) (*API, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	tokens, err := resolveTokens(config.Tokens)
	if err != nil {
		return nil, err
	}
	known, err := readParameters(schemas.OpenAPI())
	if err != nil {
		return nil, err
	}
	config.IngestURL = strings.TrimSuffix(config.IngestURL, "/")
	return &API{
		config: config, tokens: tokens, reader: reader, writer: writer, keys: keys, log: log.Log, sql: log.SQL, resend: resend, logger: logger, parameters: known,
		replays: replays, paces: newPaces(), dryRuns: make(chan struct{}, maxDryRuns),
		metrics: telemetry.NewHTTPMetrics("api"),
	}, nil
}

// Metrics returns what to register for Prometheus.
func (a *API) Metrics() prometheus.Collector { return a.metrics }

// bodyLimit is the largest request body, in bytes; triggers are small.
const bodyLimit = 1 << 20

// requestTimeout is how long the catalog and the event log have for one request.
const requestTimeout = 20 * time.Second

// maxRequestHead bounds the first line and the headers of a request, in bytes. The IDs of 500 events, as many as may be
// asked for at once, take 20 KB.
const maxRequestHead = 32 << 10

const (
	// bodyTimeout is how long a client may take for a body. Files to apply may have megabytes.
	bodyTimeout = 30 * time.Second
	// writeTimeout is how long a client may take for an answer; dry runs have dryRunPatience for each line.
	writeTimeout = 30 * time.Second
	// maxConnections may be open at the same time; one more is answered 503.
	maxConnections = 10_000
)

// drain is how long requests may go on after the end was asked for.
const drain = 3 * time.Second

// Run serves on listener until ctx ends and the requests in hand are answered.
func (a *API) Run(ctx context.Context, listener net.Listener) error {
	if err := checkListen(listener.Addr().String(), len(a.tokens)); err != nil {
		return err
	}
	if len(a.tokens) == 0 {
		a.logger.Warn("the management API asks for no token: whoever is on this machine may change everything; --api-tokens sets tokens",
			"address", listener.Addr().String())
	}
	ctx, stop := context.WithCancel(ctx)
	app := a.app(ctx)
	defer a.awaitDryRuns()
	defer stop()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- app.ShutdownWithTimeout(drain)
	}()
	if err := app.Listener(listener); err != nil {
		return fmt.Errorf("serving the management API on %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping the management API: %w", err)
	}
	return nil
}

// awaitDryRuns takes all their places, which it gets when none is under way. They end with Run's context.
func (a *API) awaitDryRuns() {
	for range maxDryRuns {
		a.dryRuns <- struct{}{}
	}
}

// app routes requests, each of which may take requestTimeout, also after ctx ends.
func (a *API) app(ctx context.Context) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		Immutable:             true, // values outlive the handler, in the catalog
		// A body up to twice the limit is read and refused politely; a larger one costs the connection.
		BodyLimit:      2 * applyLimit,
		ReadBufferSize: maxRequestHead,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    2 * time.Minute,
		Concurrency:    maxConnections,
		ErrorHandler:   a.answerError,

		DisablePreParseMultipartForm: true, // no call takes a form
	})
	listen.BoundReading(app.Server(), bodyTimeout)
	app.Use(a.metrics.Count)
	app.Use(func(c *fiber.Ctx) error {
		if limit := limitOf(c.Path()); len(c.Request().Body()) > limit {
			return fiber.NewError(fiber.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit))
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		c.SetUserContext(limited)
		return c.Next()
	})
	a.route(ctx, app)
	return app
}

// route lists every call, with the scope that it needs. What goes on after its handler ends with ctx.
func (a *API) route(ctx context.Context, app *fiber.App) {
	read, write, admin := a.needs(scopeRead), a.needs(scopeWrite), a.needs(scopeAdmin)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/api/v1/openapi.json", describeAPI)
	v1 := app.Group("/api/v1", a.authenticate)
	v1.Get("/me", read, getMe)
	v1.Get("/tokens", admin, a.listTokens)
	v1.Get("/environments", read, a.listEnvironments)
	v1.Post("/environments", admin, a.createEnvironment)
	v1.Get("/environments/:name", read, a.getEnvironment)
	v1.Patch("/environments/:name", admin, a.updateEnvironment)
	v1.Delete("/environments/:name", admin, a.deleteEnvironment)
	v1.Get("/sources", read, a.listSources)
	v1.Post("/sources", write, a.createSource)
	v1.Get("/sources/:id", read, a.getSource)
	v1.Patch("/sources/:id", write, a.updateSource)
	v1.Delete("/sources/:id", write, a.deleteSource)
	v1.Post("/sources/:id/endpoints/:environment/rotate", write, a.rotateKey)
	v1.Get("/triggers", read, a.listTriggers)
	v1.Post("/triggers", write, a.createTrigger)
	v1.Get("/triggers/:id", read, a.getTrigger)
	v1.Patch("/triggers/:id", write, a.updateTrigger)
	v1.Delete("/triggers/:id", write, a.deleteTrigger)
	v1.Post("/triggers/:id/copy", write, a.copyTrigger)
	v1.Post("/triggers/preview", read, a.previewTriggers)
	v1.Get("/event-names", read, a.listEventNames)
	v1.Get("/event-names/:name/properties", read, a.listProperties)
	v1.Get("/audit", write, a.listAudit)
	v1.Get("/workflows", read, a.listWorkflows)
	v1.Post("/apply", write, a.apply)
	v1.Get("/export", write, a.export)
	v1.Get("/events", read, a.listEvents)
	v1.Get("/events/:id", read, a.getEvent)
	v1.Get("/runs", read, a.listRuns)
	v1.Get("/runs/:id", read, a.getRun)
	v1.Get("/rejections", read, a.listRejections)
	v1.Get("/analytics/series", read, a.getSeries)
	v1.Get("/analytics/top", read, a.getTop)
	v1.Get("/analytics/latency", read, a.getLatency)
	v1.Get("/analytics/dedup", read, a.getDedup)
	v1.Post("/sql", write, a.runSQL)
	v1.Get("/dead-letters", read, a.listDeadLetters)
	v1.Get("/dead-letters/:run_id", read, a.getDeadLetter)
	v1.Post("/dead-letters/resend", write, a.resendDeadLetters)
	v1.Get("/replays", read, a.listReplays)
	v1.Post("/replays", write, a.createReplay)
	v1.Post("/replays/dry-run", read, a.dryRunReplay(ctx))
	v1.Get("/replays/:id", read, a.getReplay)
	v1.Post("/replays/:id/pause", write, a.pauseReplay)
	v1.Post("/replays/:id/resume", write, a.resumeReplay)
	v1.Post("/replays/:id/cancel", write, a.cancelReplay)
}

// limitOf returns the largest body that a call takes.
func limitOf(path string) int {
	if path == "/api/v1/apply" {
		return applyLimit
	}
	return bodyLimit
}

// list is the shape of every list.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"` // null at the end
}

func whole[T any](items []T) list[T] { return list[T]{Items: items} }

func page[T any](items []T, next string) list[T] {
	l := list[T]{Items: items}
	if next != "" {
		l.NextCursor = &next
	}
	return l
}
