package main

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// progressEvery is how often a terminal shows how far it is: rarely enough to take nothing from the load.
const progressEvery = 250 * time.Millisecond

// showProgress shows how much is posted where that is a terminal, until the function is called that it returns.
func showProgress(out *os.File, s settings, posted *atomic.Int64) (end func()) {
	if !isatty.IsTerminal(out.Fd()) {
		return func() {}
	}
	total := int64(-1)
	if !s.isClosed() {
		total = int64(s.count(s.warmUp) + s.count(s.length))
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("posting"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"), progressbar.OptionClearOnFinish())
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(progressEvery)
		defer ticks.Stop()
		for {
			select {
			case <-over:
				_ = bar.Finish() // a bar that cannot be drawn is no reason to fail
				return
			case <-ticks.C:
				_ = bar.Set64(posted.Load()) // as above
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}
