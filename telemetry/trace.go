package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// TraceConfig holds the settings of traces.
type TraceConfig struct {
	Enabled  bool    `help:"Send spans of events on their way, from the request to the call of the workflow API, over OTLP and HTTP. Every role on the way has to be told."`
	Ratio    float64 `help:"Part of the events that ingest traces, 0 to 1. Where a sender gives a traceparent, its decision stands." default:"0.01"`
	Endpoint string  `help:"URL that spans are posted to, such as http://collector:4318/v1/traces. Without it the standard OTEL_EXPORTER_OTLP_* variables say where; all the others of the exporter hold in any case." placeholder:"URL"`
}

// Validate reports every setting that cannot work.
func (c TraceConfig) Validate() error {
	var problems []error
	if c.Ratio < 0 || c.Ratio > 1 {
		problems = append(problems, fmt.Errorf("trace ratio %g: must lie between 0 and 1", c.Ratio))
	}
	if at, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		problems = append(problems, errors.New("trace endpoint: give a URL such as http://collector:4318/v1/traces"))
	}
	return errors.Join(problems...)
}

// Tracer makes spans. Roles hold nil where there are to be none, and look at that before anything else.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// NewTracer returns a tracer for a process that runs roles, or nil where traces are off. Spans are sent in the background;
// what the collector does not take is dropped, and told of in the log.
func NewTracer(ctx context.Context, config TraceConfig, version string, logger *slog.Logger) (*Tracer, error) {
	if !config.Enabled {
		return nil, nil //nolint:nilnil // nothing is traced
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	var options []otlptracehttp.Option
	if config.Endpoint != "" {
		options = append(options, otlptracehttp.WithEndpointURL(config.Endpoint))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing to send traces: %w", err)
	}
	// The variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "millrace"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("describing this process for traces: %w", err)
	}
	sometimes := rate.Sometimes{First: 1, Interval: time.Minute}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		sometimes.Do(func() { logger.Warn("spans are lost", "error", err) })
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(config.Ratio))))
	return &Tracer{provider, provider.Tracer("github.com/millrace/millrace")}, nil
}

// closeTimeout bounds how long the last spans may take at shutdown.
const closeTimeout = 2 * time.Second

// Close sends what is left. A nil Tracer has nothing.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}

// parentHeader is the name of the W3C header, in HTTP as in Kafka records.
const parentHeader = "traceparent"

// Start begins a span below a traceparent. Without one, or with one that is none, it begins a trace of its own, if the
// ratio wants it.
func (t *Tracer) Start(kind trace.SpanKind, name, parent string, attributes ...attribute.KeyValue) *Span {
	ctx := context.Background()
	if parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{parentHeader: parent})
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return &Span{span}
}

// Span is a step of an event on its way. A nil Span is one that nobody traces.
type Span struct{ span trace.Span }

// Parent returns the traceparent for what comes next, and "" where nobody traces it: what has none is not traced further.
func (s *Span) Parent() string {
	if s == nil || !s.span.SpanContext().IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), s.span), carrier)
	return carrier[parentHeader]
}

// About adds attributes: IDs, and nothing of what an event says.
func (s *Span) About(attributes ...attribute.KeyValue) {
	if s != nil {
		s.span.SetAttributes(attributes...)
	}
}

// End ends the span. It failed if problem says why.
func (s *Span) End(problem string, attributes ...attribute.KeyValue) {
	if s == nil {
		return
	}
	s.span.SetAttributes(attributes...)
	if problem != "" {
		s.span.SetStatus(codes.Error, problem)
	}
	s.span.End()
}
