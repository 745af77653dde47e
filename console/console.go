// Package console is the web console: pages over the management API, which it asks with the token of whoever looks at
// them. It keeps nothing and reaches neither Kafka nor ClickHouse; what somebody may see and do is the API's to say.
// A page is a line in routes.go, a file with its handler and what it shows, and a template of the same name in templates/.
package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/telemetry"
)

// Config holds the console's settings.
type Config struct {
	Listen     string     `help:"Address on which the web console listens; empty is none." default:"127.0.0.1:8090" placeholder:"HOST:PORT"`
	TLS        listen.TLS `embed:"" prefix:"tls-"`
	APIURL     string     `name:"api-url" help:"URL of the management API that the console shows; http://127.0.0.1:8081 unless it is given." placeholder:"URL"`
	SessionKey string     `help:"What seals logins, at least 16 characters: env:NAME or file:PATH. Without it they end when the console does, and several consoles behind one name do not know each other's." placeholder:"REF"`
}

// defaultAPIURL is where the management API listens unless it is told otherwise.
const defaultAPIURL = "http://127.0.0.1:8081"

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	_, err := newSeal(c.SessionKey)
	err = errors.Join(err, c.TLS.Validate("--console-tls"))
	if c.APIURL == "" {
		return err
	}
	if parsed, bad := url.Parse(c.APIURL); bad != nil || parsed.Host == "" || !strings.HasPrefix(parsed.Scheme, "http") {
		err = errors.Join(err, fmt.Errorf("--console-api-url %q: give a URL such as %s", c.APIURL, defaultAPIURL))
	}
	return err
}

// Console is the role.
type Console struct {
	config Config
	logger *slog.Logger
	seal   seal
	assets assets
	pages  map[string]*template.Template
	tails  chan struct{} // a place for each live view
	logins *loginLimit

	metrics *telemetry.HTTPMetrics
}

// New returns a console. The session key is read now.
func New(config Config, logger *slog.Logger) (*Console, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.APIURL == "" {
		config.APIURL = defaultAPIURL
	}
	seal, err := newSeal(config.SessionKey)
	if err != nil {
		return nil, err
	}
	assets, err := readAssets()
	if err != nil {
		return nil, err
	}
	pages, err := parsePages(assets.version)
	if err != nil {
		return nil, err
	}
	return &Console{config, logger, seal, assets, pages, make(chan struct{}, maxTails), newLoginLimit(), telemetry.NewHTTPMetrics("console")}, nil
}

// Metrics returns what to register for Prometheus.
func (w *Console) Metrics() prometheus.Collector { return w.metrics }

const (
	// bodyLimit is the largest form, in bytes.
	bodyLimit = 256 << 10
	// maxRequestHead bounds the first line and the headers of a request, in bytes: searches and places in the log stand there.
	maxRequestHead = 32 << 10
	// requestTimeout is how long the API has for all that a page needs of it.
	requestTimeout = 20 * time.Second
	// bodyTimeout is how long a browser may take for a form.
	bodyTimeout = 15 * time.Second
	// writeTimeout is how long a browser may take for a page, or for what a live view has sent in one round.
	writeTimeout = 30 * time.Second
	// maxConnections may be open at the same time; one more is answered 503.
	maxConnections = 10_000
	// drain is how long requests may go on after the end was asked for.
	drain = 3 * time.Second
)

// Run serves on listener until ctx ends and the requests in hand are answered.
func (w *Console) Run(ctx context.Context, listener net.Listener) error {
	app := w.app(ctx)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- app.ShutdownWithTimeout(drain)
	}()
	if err := app.Listener(listener); err != nil {
		return fmt.Errorf("serving the console on %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping the console: %w", err)
	}
	return nil
}

func (w *Console) app(ctx context.Context) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		Immutable:             true, // live views outlive their handlers
		BodyLimit:             bodyLimit,
		ReadBufferSize:        maxRequestHead,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           2 * time.Minute,
		Concurrency:           maxConnections,
		ErrorHandler:          w.answerError,

		DisablePreParseMultipartForm: true, // the pages' forms are of the other kind
	})
	listen.BoundReading(app.Server(), bodyTimeout)
	w.route(ctx, app)
	return app
}
