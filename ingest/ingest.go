// Package ingest takes events over HTTP and puts them into the events topic. An answer 204 is sent from the broker's
// acknowledgement, after every in-sync replica has the event, byte for byte as it was posted. What is refused is
// answered with a code and a field, and logged to the rejections topic at a bounded rate.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/secretref"
	"github.com/millrace/millrace/telemetry"
)

// Ingest is the role. Any number of processes can run one.
type Ingest struct {
	config   Config
	catalog  *catalog.Reader
	client   *kgo.Client
	topic    string
	rejected *rejections
	bodies   *bodies
	secrets  secretref.Cache
	logger   *slog.Logger
	now      func() time.Time

	inFlight  atomic.Int64 // events that wait for their acknowledgement
	isServing atomic.Bool  // from when the catalog has been read
	failing   atomic.Int64 // when Kafka last failed to take an event, in Unix nanoseconds; 0 since it has taken one
	metrics   *metrics
}

// New returns a role that knows its endpoints from reader, which must be running. It fails on settings that cannot work.
func New(config Config, cluster kafka.Config, reader *catalog.Reader, logger *slog.Logger) (*Ingest, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(cluster.Options(),
		telemetry.KafkaLogger(logger),
		kgo.RequiredAcks(kgo.AllISRAcks()), // with idempotent writes, which are the client's default
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.ProducerLinger(config.Linger),
		kgo.RecordDeliveryTimeout(config.AckTimeout),
		kgo.MaxBufferedRecords(config.MaxInFlight),
		kgo.MaxBufferedBytes(config.BufferBytes),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting ingest to Kafka: %w", err)
	}
	i := &Ingest{
		config: config, catalog: reader, client: client, topic: cluster.Topic(schemas.EventsTopic),
		rejected: newRejections(config, cluster, client, logger), logger: logger, now: time.Now,
	}
	i.bodies = newBodies(config.MaxEventBytes, config.ReadTimeout+time.Second) // a little later than the deadline
	i.metrics = newMetrics(&i.inFlight)
	return i, nil
}

// Run listens and serves until ctx ends. See Serve.
func (i *Ingest) Run(ctx context.Context) error {
	listener, err := listen.Open(ctx, listen.Config{Address: i.config.Listen, TLS: i.config.TLS}, i.logger)
	if err != nil {
		i.client.Close()
		return fmt.Errorf("listening for events (--ingest-listen): %w", err)
	}
	return i.Serve(ctx, listener)
}

// Serve takes events on listener until ctx ends, then answers the requests in hand, for at most DrainTimeout, and
// closes the connection to Kafka. It accepts nothing before the catalog has been read: every endpoint would be unknown.
func (i *Ingest) Serve(ctx context.Context, listener net.Listener) error {
	defer i.client.Close()
	if err := i.catalog.Ready(ctx); err != nil {
		err = errors.Join(fmt.Errorf("starting ingest: %w", err), listener.Close())
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	app := i.app(context.WithoutCancel(ctx))
	i.isServing.Store(true)
	defer i.isServing.Store(false)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		i.isServing.Store(false) // who asks learns of it while the last requests are answered
		stopped <- app.ShutdownWithTimeout(i.config.DrainTimeout)
	}()
	if err := app.Listener(listener); err != nil {
		return fmt.Errorf("serving events on %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping ingest: %w", err)
	}
	return i.rejected.flush(context.WithoutCancel(ctx))
}

// app routes requests. ctx outlives them.
func (i *Ingest) app(ctx context.Context) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		// A body up to twice the limit is read and refused politely. Above, it is refused by its announced length, before
		// it is read, and the connection is closed. One in chunks is read up to the limit (bodies.go).
		BodyLimit:      2 * i.config.MaxEventBytes,
		ReadBufferSize: maxHeaderBytes,
		WriteTimeout:   i.config.ReadTimeout,
		IdleTimeout:    i.config.IdleTimeout,
		Concurrency:    i.config.MaxConnections,
		ErrorHandler:   i.answerError,
		// A form would be taken apart before anybody has seen that no endpoint takes one.
		DisablePreParseMultipartForm: true,
	})
	listen.BoundReading(app.Server(), i.config.ReadTimeout)
	i.bodies.bound(app.Server())
	app.Use(i.bodies.handle)
	app.All(noRoomPath, i.refuseNoRoom)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	app.Get("/readyz", func(c *fiber.Ctx) error { return c.SendString("ready\n") }) // it listens only once it is
	app.All(receivePath+":key", func(c *fiber.Ctx) error { return i.receive(ctx, c) })
	return app
}

// receivePath is what the path of every endpoint begins with.
const receivePath = "/v1/receive/"

// maxHeaderBytes bounds the request line and headers together.
const maxHeaderBytes = 16 << 10
