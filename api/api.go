// Package api is the management and query API under /api/v1: sources and triggers, which it writes to the catalog, and
// events and runs, which it reads from the event log. Answers are JSON; lists are {"items", "next_cursor"}, errors are
// {"error": {"code", "message", "field"}}. It has no authentication yet and therefore listens on loopback by default.
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

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
)

// Config holds the API's settings.
type Config struct {
	Listen    string `help:"Address on which the management API listens. It has no authentication: keep it private." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	IngestURL string `help:"What the URLs of endpoints begin with, as senders reach ingest." placeholder:"URL"`
}

// API is the role.
type API struct {
	config Config
	reader *catalog.Reader
	writer *catalog.Writer
	log    *query.Log
	logger *slog.Logger
}

// New returns the API over a catalog, whose reader must be running, and an event log.
func New(config Config, reader *catalog.Reader, writer *catalog.Writer, log *query.Log, logger *slog.Logger) *API {
	config.IngestURL = strings.TrimSuffix(config.IngestURL, "/")
	return &API{config: config, reader: reader, writer: writer, log: log, logger: logger}
}

// bodyLimit is the largest request body, in bytes; triggers are small.
const bodyLimit = 1 << 20

// requestTimeout is how long the catalog and the event log have for one request.
const requestTimeout = 20 * time.Second

// drain is how long requests may go on after the end was asked for.
const drain = 3 * time.Second

// Run serves on listener until ctx ends and the requests in hand are answered.
func (a *API) Run(ctx context.Context, listener net.Listener) error {
	app := a.app(context.WithoutCancel(ctx))
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

// app routes requests, each of which may take requestTimeout within ctx.
func (a *API) app(ctx context.Context) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		Immutable:             true, // values outlive the handler, in the catalog
		// A body up to twice the limit is read and refused politely; a larger one costs the connection.
		BodyLimit:    2 * applyLimit,
		ReadTimeout:  30 * time.Second,
		IdleTimeout:  2 * time.Minute,
		ErrorHandler: a.answerError,
	})
	app.Use(func(c *fiber.Ctx) error {
		if limit := limitOf(c.Path()); len(c.Request().Body()) > limit {
			return fiber.NewError(fiber.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit))
		}
		limited, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		c.SetUserContext(limited)
		return c.Next()
	})
	v1 := app.Group("/api/v1")
	v1.Post("/sources", a.createSource)
	v1.Get("/sources", a.listSources)
	v1.Get("/sources/:id", a.getSource)
	v1.Patch("/sources/:id", a.updateSource)
	v1.Post("/triggers", a.createTrigger)
	v1.Get("/triggers", a.listTriggers)
	v1.Get("/triggers/:id", a.getTrigger)
	v1.Patch("/triggers/:id", a.updateTrigger)
	v1.Delete("/triggers/:id", a.deleteTrigger)
	v1.Post("/apply", a.apply)
	v1.Get("/export", a.export)
	v1.Get("/events", a.listEvents)
	v1.Get("/events/:id", a.getEvent)
	v1.Get("/runs", a.listRuns)
	v1.Get("/runs/:id", a.getRun)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok") })
	return app
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
