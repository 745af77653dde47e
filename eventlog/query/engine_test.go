package query_test

import (
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/rig/engine"
)

// address leads to the engine of all tests. Each test has a database of its own there.
var address eventlog.Config

func TestMain(m *testing.M) {
	engine.Main(m, func(shared engine.Engine) {
		address = eventlog.Config{
			DialContext: shared.DialContext,
			Flush:       eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Second},
		}
	})
}
