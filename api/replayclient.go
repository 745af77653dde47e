package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Replays reads a page of replays, newest first.
func (c *Client) Replays(ctx context.Context, filter url.Values) (Page[Replay], error) {
	return get[Page[Replay]](ctx, c, "/replays", filter)
}

// Replay reads one replay and how far it is.
func (c *Client) Replay(ctx context.Context, id string) (Replay, error) {
	return get[Replay](ctx, c, Path("replays", id), nil)
}

// CreateReplay orders a replay. The request is the body of the call. With a key, the same request makes one replay,
// however often it is sent.
func (c *Client) CreateReplay(ctx context.Context, request any, key string) (made Replay, err error) {
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: "/replays", Body: request, Key: key}, &made)
	return made, err
}

// PauseReplay lets a running replay rest. Like the others it changes it at a revision only, or at any with 0.
func (c *Client) PauseReplay(ctx context.Context, id string, revision int64) (Replay, error) {
	return c.changeReplay(ctx, id, "pause", revision)
}

// ResumeReplay lets a paused replay go on.
func (c *Client) ResumeReplay(ctx context.Context, id string, revision int64) (Replay, error) {
	return c.changeReplay(ctx, id, "resume", revision)
}

// CancelReplay ends a replay for good. What it has created stays.
func (c *Client) CancelReplay(ctx context.Context, id string, revision int64) (Replay, error) {
	return c.changeReplay(ctx, id, "cancel", revision)
}

func (c *Client) changeReplay(ctx context.Context, id, change string, revision int64) (changed Replay, err error) {
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: Path("replays", id, change), Revision: revision}, &changed)
	return changed, err
}

// silence is how long a dry run may say nothing before the client gives up: it says something twice a second.
const silence = time.Minute

// errSilence is why it gave up.
var errSilence = fmt.Errorf("the API has said nothing for %s", silence)

// DryRun asks what a replay would do, and calls tell with how far that is. The request is the body of the call; ctx ends
// the dry run. What the API refuses is a *RefusedError.
func (c *Client) DryRun(ctx context.Context, request any, tell func(ReplayProgress)) (DryRun, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	patience := time.AfterFunc(silence, func() { giveUp(errSilence) })
	defer patience.Stop()
	asked, err := c.request(ctx, Call{Method: http.MethodPost, Path: "/replays/dry-run", Body: request})
	if err != nil {
		return DryRun{}, err
	}
	asked.Header.Set("Accept", mimeNDJSON)
	unhurried := http.Client{Transport: c.http.Transport} // without a time for the whole
	response, err := unhurried.Do(asked)
	if err != nil {
		return DryRun{}, c.unreachable(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return DryRun{}, fmt.Errorf("reading the answer of %s: %w", c.base, err)
		}
		return DryRun{}, c.refused(response, body)
	}
	found, err := c.readDryRun(response.Body, func(now ReplayProgress) {
		patience.Reset(silence)
		tell(now)
	})
	if cause := context.Cause(ctx); cause != nil {
		return found, cause
	}
	return found, err
}

// readDryRun reads lines up to the one that ends the dry run.
func (c *Client) readDryRun(body io.Reader, tell func(ReplayProgress)) (DryRun, error) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		var line struct {
			Progress *ReplayProgress `json:"progress"`
			Result   *DryRun         `json:"result"`
			Error    *RefusedError   `json:"error"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return DryRun{}, c.foreign("a line that is no JSON")
		}
		switch {
		case line.Error != nil:
			return DryRun{}, line.Error
		case line.Result != nil:
			return *line.Result, nil
		case line.Progress != nil:
			tell(*line.Progress)
		}
	}
	if lines.Err() == nil {
		return DryRun{}, errors.New("the dry run was broken off; look at the API's log, and try again")
	}
	return DryRun{}, fmt.Errorf("reading the answer of %s: %w", c.base, lines.Err())
}
