// Command ingest measures how many events per second ingest takes, each acknowledged by the embedded broker, and how
// that compares with a bare prototype of the same idea in the same run. Server and broker share a child process, the
// load comes from the parent; prototype and ingest take turns, because machines are noisy. It prints requests per
// second, the server's CPU time per request and the ratio of the two, and ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The two servers. Each is also the argument that makes this command be one.
const (
	prototypeServer = "prototype"
	ingestServer    = "ingest"
)

func main() {
	if len(os.Args) == 2 && (os.Args[1] == prototypeServer || os.Args[1] == ingestServer) {
		exitOn(serve(os.Args[1]))
		return
	}
	connections := flag.String("connections", "64,256", "connections at the same time, one comparison each")
	rounds := flag.Int("rounds", 5, "how often the two take turns")
	length := flag.Duration("for", 4*time.Second, "how long one turn takes")
	events := flag.String("events", "schemas/testdata/track-events.ndjson", "the events that are posted, one a line")
	flag.Parse()
	exitOn(run(*events, *connections, *rounds, *length))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/ingest:", err)
		os.Exit(1)
	}
}

func run(events, connections string, rounds int, length time.Duration) error {
	bodies, err := readEvents(events)
	if err != nil {
		return err
	}
	servers := map[string]*server{}
	for _, name := range []string{prototypeServer, ingestServer} {
		started, err := start(name)
		if err != nil {
			return err
		}
		defer started.stop()
		servers[name] = started
	}
	for field := range strings.SplitSeq(connections, ",") {
		count, err := strconv.Atoi(field)
		if err != nil || count < 1 {
			return fmt.Errorf("connections %q: give numbers such as 64,256", connections)
		}
		if err := compare(servers, bodies, count, rounds, length); err != nil {
			return err
		}
	}
	return nil
}

// compare lets both servers take turns under the same load and prints the median turn of each.
func compare(servers map[string]*server, bodies [][]byte, connections, rounds int, length time.Duration) error {
	turns := map[string][]turn{}
	for range rounds {
		for name, server := range servers {
			done, err := server.measure(context.Background(), bodies, connections, length)
			if err != nil {
				return fmt.Errorf("%s at %d connections: %w", name, connections, err)
			}
			turns[name] = append(turns[name], done)
		}
	}
	bare, full := median(turns[prototypeServer]), median(turns[ingestServer])
	fmt.Printf("%3d connections  prototype %6.0f req/s %5.1f us CPU  ingest %6.0f req/s %5.1f us CPU  ratio %.2f\n",
		connections, bare.perSecond, bare.cpuMicros, full.perSecond, full.cpuMicros, full.perSecond/bare.perSecond)
	return nil
}

// turn is what one server did in one turn.
type turn struct {
	perSecond float64 // requests answered 204
	cpuMicros float64 // CPU time of server and broker for each of them
}

func median(turns []turn) turn {
	slices.SortFunc(turns, func(a, b turn) int {
		switch {
		case a.perSecond < b.perSecond:
			return -1
		case a.perSecond > b.perSecond:
			return 1
		}
		return 0
	})
	return turns[len(turns)/2]
}
