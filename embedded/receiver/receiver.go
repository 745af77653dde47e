// Package receiver is the workflow API that comes with `millrace dev`: it takes runs as Knock does, starts nothing, and
// shows what it got. It collapses calls by their idempotency key and keeps the newest runs in memory, so that a person
// can look at them and a test can count them. It stores nothing on disk and asks for no API key.
//
//	POST /v1/workflows/{key}/trigger   200 {"workflow_run_id":"..."}
//	GET  /runs?limit=100               the newest runs, newest first
//	GET  /                             how many calls and runs there were
package receiver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// maxBodyBytes is the largest request body that is taken: twice the largest event by default.
const maxBodyBytes = 1 << 20

// closeTimeout bounds how long Close waits for requests that are being answered.
const closeTimeout = time.Second

// Options say where the receiver listens and whom it shows its runs to.
type Options struct {
	Addr   string         // host:port; port 0 takes a free one
	Show   func(Received) // told about each new run, one at a time; nil for nobody
	Logger *slog.Logger
}

// Receiver is a running workflow API. Close ends it.
type Receiver struct {
	app      *fiber.App
	listener net.Listener
	url      string
	logger   *slog.Logger
	runs     *runs
	served   chan struct{} // closed when the server has ended

	showing sync.Mutex // orders calls of show
	show    func(Received)
}

// Start listens and serves until Close. ctx bounds only the start. It fails when the address cannot be listened on.
func Start(ctx context.Context, options Options) (*Receiver, error) {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", options.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening for runs on %s: %w", options.Addr, err)
	}
	r := &Receiver{
		listener: listener,
		url:      "http://" + listener.Addr().String(),
		logger:   options.Logger.With("role", "receiver"),
		runs:     newRuns(maxKeptRuns, maxKeptBytes),
		served:   make(chan struct{}),
		show:     options.Show,
	}
	r.app = r.routes()
	go func() {
		defer close(r.served)
		if err := r.app.Listener(listener); err != nil {
			r.logger.Error("the workflow API has stopped", "error", err)
		}
	}()
	return r, nil
}

// URL returns the base URL to set as an environment's workflow API, such as http://127.0.0.1:8090.
func (r *Receiver) URL() string { return r.url }

// Close stops listening, lets requests that are being answered finish, and returns within a second or so. It returns
// an error when it had to cut some off.
func (r *Receiver) Close() error {
	err := r.app.ShutdownWithTimeout(closeTimeout)
	// A server that has not begun yet ignores Shutdown; without a listener it ends as soon as it begins. Otherwise
	// Shutdown has closed the listener, and closing it again only says so.
	_ = r.listener.Close()
	<-r.served
	if err != nil {
		return fmt.Errorf("closing the workflow API within %s: %w", closeTimeout, err)
	}
	return nil
}

func (r *Receiver) routes() *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		// A body up to twice the limit is read and refused politely; a larger one costs the connection.
		BodyLimit:    2 * maxBodyBytes,
		ReadTimeout:  30 * time.Second,
		IdleTimeout:  time.Minute,
		ErrorHandler: r.refuse,
		// Without it every string would be valid inside its handler only, and runs are kept.
		Immutable: true,
	})
	app.Use(func(c *fiber.Ctx) error {
		if len(c.Request().Body()) > maxBodyBytes {
			return fiber.ErrRequestEntityTooLarge
		}
		return c.Next()
	})
	app.Post("/v1/workflows/:key/trigger", r.trigger)
	app.Get("/runs", r.list)
	app.Get("/", r.count)
	return app
}
