package replay_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/rig/engine"
)

// address leads to the engine of all tests. Each test has a database of its own there.
var address eventlog.Config

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		fmt.Fprintln(os.Stderr, runRole(order))
		os.Exit(1)
	}
	engine.Main(m, func(shared engine.Engine) {
		address = eventlog.Config{
			DSN: "http://embedded:8123", DialContext: shared.DialContext,
			Flush: eventlog.Flush{Rows: 50_000, Bytes: 8 << 20, Inserts: 1, Interval: 100 * time.Millisecond},
		}
	})
}
