package eventlog_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
	enginerig "github.com/millrace/millrace/rig/engine"
)

// shared is the engine of every test that does not kill it. Each test has a database of its own there.
var shared *engine

// databases numbers them.
var databases atomic.Int64

func TestMain(m *testing.M) {
	enginerig.Main(m, func(started enginerig.Engine) { shared = &engine{started} })
}

// engine is a ClickHouse.
type engine struct{ enginerig.Engine }

func sharedEngine(testing.TB) *engine { return shared }

// newEngine starts an engine for one test.
func newEngine(tb testing.TB) *engine {
	tb.Helper()
	started, err := enginerig.Start(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(started.Close)
	return &engine{started}
}

// config returns settings that lead to a database nobody else uses.
func (e *engine) config(testing.TB) eventlog.Config {
	return eventlog.Config{
		DSN: "http://embedded:8123/test_" + strconv.FormatInt(databases.Add(1), 10), DialContext: e.DialContext,
		Flush: eventlog.Flush{Rows: 50_000, Bytes: 8 << 20, Inserts: 2, Interval: 500 * time.Millisecond},
	}
}

// kill ends the engine's process at once. Whoever supervises it starts another.
func (e *engine) kill(tb testing.TB) {
	tb.Helper()
	if err := e.Kill(); err != nil {
		tb.Fatal(err)
	}
}
