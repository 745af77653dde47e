// Command benthos is a peer of ingest in bench/ingest: the http_server input of Benthos, which is the engine of Redpanda
// Connect, into Kafka. It listens on a loopback address, answers a POST once all in-sync replicas have the event, and ends
// with its standard input. It is not Redpanda Connect: that has an output for Kafka of its own, under a licence that is not open.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"runtime/pprof"

	"github.com/redpanda-data/benthos/v4/public/service"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"   // http_server
	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // logger, metrics and tracer that do nothing
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

// run takes the address to listen on, a broker, a topic, and where to write a CPU profile: an empty path is none.
func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: benthos LISTEN BROKER TOPIC PROFILE")
	}
	if profile := arguments[3]; profile != "" {
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
	environment := service.NewEnvironment()
	if err := environment.RegisterOutput("franz", outputSpec(), newOutput); err != nil {
		return err
	}
	builder := environment.NewStreamBuilder()
	if err := builder.SetYAML(config(arguments[0], arguments[1], arguments[2])); err != nil {
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

// config is as fast as the documentation of the engine lets it be:
//   - max_in_flight as high as there are connections: each event waits for its acknowledgement on its own, and Kafka's client
//     makes batches of those that wait, which takes less time than the batches that the engine would make before;
//   - no processors in the pipeline: an event is not even looked at, where ingest checks it;
//   - neither logs of requests, metrics nor traces, and no server for them.
func config(listen, broker, topic string) string {
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
  franz:
    broker: %q
    topic: %q
    max_in_flight: 1024
`, listen, broker, topic)
}

// version is the engine's, from the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if path.Dir(module.Path) == "github.com/redpanda-data/benthos" {
			return module.Version
		}
	}
	return "unknown"
}
