package listen

import (
	"log/slog"
	"net"

	"golang.org/x/time/rate"
)

// Patient is what Open makes of a listener.
func Patient(inner net.Listener, logger *slog.Logger) net.Listener {
	return &patient{Listener: inner, closed: make(chan struct{}), logger: logger, report: rate.Sometimes{Interval: reportEvery}}
}
