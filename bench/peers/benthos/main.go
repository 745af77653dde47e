// Command benthos is a peer of ingest in bench/ingest: Benthos, whole, from its http_server to its kafka_franz. That is what
// Redpanda Connect was called when it was last published as one module under an open licence. It listens on a loopback
// address, answers a POST once all in-sync replicas have the event, and ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/pprof"

	"github.com/benthosdev/benthos/v4/public/service"

	_ "github.com/benthosdev/benthos/v4/public/components/io"    // http_server
	_ "github.com/benthosdev/benthos/v4/public/components/kafka" // kafka_franz
	_ "github.com/benthosdev/benthos/v4/public/components/pure"  // logger, metrics and tracer that do nothing
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(version())
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers/benthos:", err)
		os.Exit(1)
	}
}

// run takes the address to listen on, a broker, a topic, how many events may wait for Kafka at a time, and where to write a
// CPU profile: an empty path is none.
func run(arguments []string) error {
	if len(arguments) != 5 {
		return fmt.Errorf("usage: benthos LISTEN BROKER TOPIC MAX_IN_FLIGHT PROFILE")
	}
	if profile := arguments[4]; profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	builder := service.NewStreamBuilder()
	if err := builder.SetYAML(config(arguments[0], arguments[1], arguments[2], arguments[3])); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	stream, err := builder.Build()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // who started it closes that, be it by ending
		stop()
	}()
	if err := stream.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// config leaves out whatever costs time and could be left out: there are no processors, so that an event is not even looked
// at, where ingest checks it; and neither logs of requests, metrics nor traces, and no server for them. The rest is as it
// comes: all in-sync replicas, an idempotent producer, snappy. Its client for Kafka sends at once and makes batches of what
// comes meanwhile; there is no setting for that.
func config(listen, broker, topic, maxInFlight string) string {
	return fmt.Sprintf(`
http:
  enabled: false
logger:
  level: ERROR
metrics:
  none: {}
tracer:
  none: {}
input:
  http_server:
    address: %q
    path: /post
    allowed_verbs: [POST]
    timeout: 10s
output:
  kafka_franz:
    seed_brokers: [%q]
    topic: %q
    max_in_flight: %s
`, listen, broker, topic, maxInFlight)
}

// version is that of the module, from the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/benthosdev/benthos/v4" {
			return module.Version
		}
	}
	return "unknown"
}
