package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/millrace/millrace/api"
)

// newBar returns a progress bar with a count.
func newBar(out io.Writer, total int64, options ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, append([]progressbar.Option{
		progressbar.OptionShowCount(), progressbar.OptionSetWriter(out), progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(out) }),
	}, options...)...)
}

// lineEvery is how often a line tells how far something is, where no bar can be drawn.
const lineEvery = 10 * time.Second

// meter shows how far a replay is, or a dry run of one: as a bar on a terminal, elsewhere as a line now and then.
type meter struct {
	tty      terminal
	what     string
	canDraw  bool
	bar      *progressbar.ProgressBar // nil before anything is known
	lineAt   time.Time
	lastLine string
}

func newMeter(tty terminal, what string) *meter {
	file, isFile := tty.err.(*os.File)
	return &meter{tty: tty, what: what, canDraw: isFile && isatty.IsTerminal(file.Fd())}
}

// show shows how far it is now. A bar that cannot be drawn is no reason to stop.
func (m *meter) show(now api.ReplayProgress) {
	switch {
	case now.Total == 0: // nothing is known yet
	case !m.canDraw:
		if time.Since(m.lineAt) >= lineEvery {
			m.line(now)
		}
	default:
		if m.bar == nil {
			m.bar = newBar(m.tty.err, now.Total, progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
		}
		m.bar.ChangeMax64(now.Total)
		m.bar.Describe(m.what + pace(now))
		_ = m.bar.Set64(now.Done)
	}
}

// end shows the last of it.
func (m *meter) end(now api.ReplayProgress) {
	if !m.canDraw {
		m.line(now)
		return
	}
	m.show(now)
	m.leave()
}

// leave leaves the line of a bar that is not full.
func (m *meter) leave() {
	if m.bar != nil && !m.bar.IsFinished() {
		fmt.Fprintln(m.tty.err)
	}
}

func (m *meter) line(now api.ReplayProgress) {
	m.lineAt = time.Now()
	line := fmt.Sprintf("%s: %.1f %%, %d of %d%s", m.what, now.Percent, now.Done, now.Total, pace(now))
	if line != m.lastLine {
		fmt.Fprintln(m.tty.err, line)
	}
	m.lastLine = line
}

// pace says how fast it is, and how long it will take.
func pace(now api.ReplayProgress) string {
	var text strings.Builder
	if now.EventsPerSecond != nil {
		fmt.Fprintf(&text, ", %.0f events/s", *now.EventsPerSecond)
	}
	if now.SecondsLeft != nil {
		fmt.Fprintf(&text, ", %s left", seconds(*now.SecondsLeft))
	}
	return text.String()
}

func seconds(n float64) time.Duration {
	return time.Duration(n * float64(time.Second)).Round(time.Second)
}
