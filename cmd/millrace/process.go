package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/millrace/millrace/telemetry"
)

// Global holds the settings of every command.
type Global struct {
	// Config is only declared here: the file is found and read before the flags are parsed, see settings.go.
	Config string           `help:"Settings file (YAML), nested as the flags' names are; ${default_settings_file} is read if it exists." placeholder:"FILE"`
	Log    telemetry.Config `embed:"" prefix:"log-"`
}

func (g *Global) logger() (*slog.Logger, error) { return telemetry.NewLogger(g.Log, os.Stderr) }

// errStopped is why a process ends in good order.
var errStopped = errors.New("stopped by a signal")

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one kills the process at once.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel(errStopped)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// gcPercent lets the heap grow to five times what is in use before garbage is collected. A role has tens of megabytes
// in use and makes hundreds a second: at Go's default it collects all the time, for a quarter of the work of deciding
// on an event. GOGC and GOMEMLIMIT have their usual meaning.
const gcPercent = 400

func relaxGC() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}
