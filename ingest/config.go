package ingest

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/telemetry"
)

// Config holds ingest's settings.
type Config struct {
	Listen              string        `help:"Address on which events are taken." default:":8080" placeholder:"HOST:PORT"`
	TLS                 listen.TLS    `embed:"" prefix:"tls-"`
	MaxEventBytes       int           `help:"Largest body, in bytes; a larger one is answered 413." default:"524288"`
	AckTimeout          time.Duration `help:"How long Kafka has to acknowledge an event before it is answered 503." default:"8s"`
	MaxInFlight         int           `help:"Events that may wait for their acknowledgement; beyond, an event is answered 503 at once." default:"20000"`
	BufferBytes         int           `help:"Bytes of events that may wait for Kafka; beyond, an event is answered 503 at once." default:"134217728"`
	Linger              time.Duration `help:"How long an event waits for others to share a write to Kafka." default:"5ms"`
	MaxConnections      int           `help:"Connections at the same time, from whatever address: behind a load balancer all come from one. Beyond, a new one is answered 503." default:"100000"`
	ReadTimeout         time.Duration `help:"How long a client may take to send the body of a request; it has 5s for what comes before." default:"15s"`
	IdleTimeout         time.Duration `help:"How long a connection may stay open without a request." default:"60s"`
	DrainTimeout        time.Duration `help:"How long requests in hand may take at shutdown." default:"3s"`
	RejectionsPerSecond int           `help:"Refused requests that are logged per second, and twice as many at once; others are only counted." default:"100"`

	// Tracer makes spans; nil makes none.
	Tracer *telemetry.Tracer `kong:"-"`
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var problems []error
	positive := func(name string, value int64) {
		if value <= 0 {
			problems = append(problems, fmt.Errorf("ingest %s: must be above 0", name))
		}
	}
	positive("max event bytes", int64(c.MaxEventBytes))
	positive("max in flight", int64(c.MaxInFlight))
	positive("max connections", int64(c.MaxConnections))
	positive("read timeout", int64(c.ReadTimeout))
	positive("idle timeout", int64(c.IdleTimeout))
	positive("drain timeout", int64(c.DrainTimeout))
	if c.AckTimeout < time.Second {
		problems = append(problems, fmt.Errorf("ingest ack timeout %s: must be at least 1s", c.AckTimeout))
	}
	if c.MaxEventBytes > maxRecordBytes {
		problems = append(problems, fmt.Errorf("ingest max event bytes %d: at most %d, a broker takes 1 MiB with its headers", c.MaxEventBytes, maxRecordBytes))
	}
	if c.BufferBytes < 2*c.MaxEventBytes {
		problems = append(problems, fmt.Errorf("ingest buffer bytes %d: must hold two events of %d bytes at least", c.BufferBytes, c.MaxEventBytes))
	}
	if c.Linger < 0 || c.Linger >= c.AckTimeout {
		problems = append(problems, fmt.Errorf("ingest linger %s: must lie below the ack timeout", c.Linger))
	}
	if c.RejectionsPerSecond < 0 {
		problems = append(problems, fmt.Errorf("ingest rejections per second %d: must not be negative", c.RejectionsPerSecond))
	}
	return errors.Join(append(problems, c.TLS.Validate("--ingest-tls"))...)
}

// maxRecordBytes leaves room for key and headers below the 1,000,012 bytes that the client puts into one write.
const maxRecordBytes = 990_000
