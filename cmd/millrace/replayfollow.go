package main

import (
	"errors"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// followReplayEvery is the time between two looks at a replay.
const followReplayEvery = time.Second

// followReplay shows how far a replay is until it does not run any more, and then what came of it. It fails unless the
// replay is completed. Ctrl-C ends the looking, not the replay.
func followReplay(r resource, id string) error {
	meter := newMeter(r.tty, "replay "+id)
	ticks := time.NewTicker(followReplayEvery)
	defer ticks.Stop()
	for isConnected, isAway := false, false; ; {
		now, err := r.client.Replay(r.ctx, id)
		var refused *api.RefusedError
		isRefused := errors.As(err, &refused) && refused.Status < http.StatusInternalServerError
		switch {
		case r.ctx.Err() != nil:
			meter.leave()
			return leaveReplay(r, id)
		case err != nil && (isRefused || !isConnected):
			return fmt.Errorf("asking for replay %s: %w", id, err)
		case err != nil && !isAway:
			isAway = true
			fmt.Fprintf(r.tty.err, "millrace: %v\nIt is asked again until it answers.\n", err)
		case err == nil && now.State != schemas.ReplayRunning:
			meter.end(progressOf(now))
			return endedReplay(r, now)
		case err == nil:
			isConnected, isAway = true, false
			meter.show(progressOf(now))
		}
		select {
		case <-ticks.C:
		case <-r.ctx.Done():
		}
	}
}

// progressOf is how far a replay is, if the API has told.
func progressOf(p api.Replay) api.ReplayProgress {
	if p.Progress == nil {
		return api.ReplayProgress{}
	}
	return *p.Progress
}

// leaveReplay says that the replay goes on.
func leaveReplay(r resource, id string) error {
	fmt.Fprintf(r.tty.err, "Replay %s goes on. `millrace replay get %s --follow` shows how far it is, `millrace replay cancel %s` ends it.\n", id, id, id)
	return nil
}

// endedReplay shows a replay that does not run any more.
func endedReplay(r resource, p api.Replay) error {
	err := r.output.write(r.tty.out, p, func(table *tabwriter.Writer) error {
		writeReplay(table, p)
		return nil
	})
	switch {
	case err != nil || p.State == schemas.ReplayCompleted:
		return err
	case p.State == schemas.ReplayPaused:
		return fmt.Errorf("the replay is paused; `millrace replay resume %s` lets it go on", p.ID)
	}
	return fmt.Errorf("the replay is %s", replayState(p))
}
