package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// The dry run of a replay, which may take as long as the replay: it tells how far it is in the meantime.

const (
	maxDryRuns     = 2 // at once; more are turned away, since each reads the log as fast as it can
	dryRunRetry    = 10 * time.Second
	dryRunTells    = 500 * time.Millisecond // between two objects of progress, and between two looks at the client
	dryRunTimeout  = time.Hour
	dryRunPatience = 5 * time.Second // for a client to take a line
	mimeNDJSON     = "application/x-ndjson"
	mimeNDJSONUTF8 = mimeNDJSON + "; charset=utf-8"
)

// DryRun is what a dry run found out. A replay with its times goes over the same events.
type DryRun struct {
	schemas.ReplayPreview
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// dryRunReplay says what a replay would do. Other requests are let finish when the API stops; dry runs end with ending.
func (a *API) dryRunReplay(ending context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		replay, err := a.readDryRun(c)
		if err != nil {
			return err
		}
		select {
		case a.dryRuns <- struct{}{}:
		default:
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(dryRunRetry.Seconds())))
			return &problem{
				status: fiber.StatusTooManyRequests, Code: "too_many",
				Message: fmt.Sprintf("%d dry runs are under way, which is the most; wait for one of them to end", maxDryRuns),
			}
		}
		if c.Accepts(mimeNDJSON, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
			return a.answerDryRun(ending, c, replay)
		}
		method, path := c.Method(), c.Path()
		c.Set(fiber.HeaderContentType, mimeNDJSONUTF8)
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Context().SetConnectionClose() // it has a deadline then
		conn := c.Context().Conn()
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			a.streamDryRun(ending, lineWriter{w, conn}, replay, func(err error) {
				a.logger.Error("answering a management request", "method", method, "path", path, "error", err)
			})
		})
		return nil
	}
}

// readDryRun returns the replay as it would be made now.
func (a *API) readDryRun(c *fiber.Ctx) (schemas.Replay, error) {
	var in replayInput
	if err := decode(c, &in); err != nil {
		return schemas.Replay{}, err
	}
	now, snapshot := time.Now().UTC().Truncate(time.Millisecond), a.reader.Snapshot()
	wanted, err := in.replay(snapshot, now)
	checked, invalid := snapshot.CheckReplay(wanted, now)
	return checked, errors.Join(err, invalid)
}

// errGone ends the dry run of a client that does not wait for it any more.
var errGone = errors.New("the client is gone")

// answerDryRun sends the result alone.
func (a *API) answerDryRun(ending context.Context, c *fiber.Ctx, replay schemas.Replay) error {
	found, err := a.dryRun(ending, replay, func(ReplayProgress) error {
		if isGone(c.Context().Conn()) {
			return errGone
		}
		return nil
	})
	if errors.Is(err, errGone) {
		return fiber.NewError(fiber.StatusRequestTimeout, err.Error())
	}
	if err != nil {
		return err
	}
	return c.JSON(found)
}

// dryRun makes a dry run and gives its place free. It calls tell now and then and ends when that fails.
func (a *API) dryRun(ending context.Context, replay schemas.Replay, tell func(ReplayProgress) error) (DryRun, error) {
	defer func() { <-a.dryRuns }()
	ctx, cancel := context.WithTimeoutCause(ending, dryRunTimeout, &problem{
		status: fiber.StatusUnprocessableEntity, Code: "too_slow", Field: "from",
		Message: fmt.Sprintf("the dry run took more than %s; give a shorter time", dryRunTimeout),
	})
	defer cancel()
	latest := &latestProgress{}
	var found schemas.ReplayPreview
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		found, err = a.replays.DryRun(ctx, replay, latest.set)
	}()
	told := tellUntil(ended, cancel, latest, tell)
	switch {
	case err == nil:
		return showDryRun(replay, found), nil
	case told != nil:
		return DryRun{}, told
	case ctx.Err() != nil && ending.Err() == nil:
		return DryRun{}, context.Cause(ctx)
	}
	return DryRun{}, fmt.Errorf("making a dry run: %w", err)
}

// tellUntil tells how far a dry run is until it has ended. It cancels it when nobody listens.
func tellUntil(ended <-chan struct{}, cancel func(), latest *latestProgress, tell func(ReplayProgress) error) error {
	ticks := time.NewTicker(dryRunTells)
	defer ticks.Stop()
	pace := pace{{time.Now(), 0}}
	for {
		select {
		case <-ended:
			return nil
		case <-ticks.C:
		}
		now := latest.get()
		perSecond, isKnown := pace.perSecond(mark{time.Now(), now.Done})
		if err := tell(progressAt(now, perSecond, isKnown)); err != nil {
			cancel()
			<-ended
			return err
		}
	}
}

// latestProgress is how far a dry run said it is.
type latestProgress struct {
	mu    sync.Mutex // guards value
	value schemas.ReplayProgress
}

func (l *latestProgress) set(now schemas.ReplayProgress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.value = now
}

func (l *latestProgress) get() schemas.ReplayProgress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value
}

// showDryRun writes nothing as empty lists.
func showDryRun(replay schemas.Replay, found schemas.ReplayPreview) DryRun {
	if found.Errors == nil {
		found.Errors = map[string]int64{}
	}
	if found.Samples == nil {
		found.Samples = []schemas.ReplaySample{}
	}
	if found.Diff == nil {
		found.Diff = []schemas.ReplayDiff{}
	}
	return DryRun{found, replay.From, replay.To}
}
