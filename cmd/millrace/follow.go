package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

const (
	followEvery = 500 * time.Millisecond // between two questions, when nothing is left to read
	followPage  = 500                    // events of one answer
	followIDs   = 100                    // events asked for by ID: proxies commonly take addresses of 8 KB at most
	// decidedWithin is how long an event is held back for its decision. Then it is shown as it is, and again once decided.
	decidedWithin = 2 * time.Second
	// maxUndecided bounds the events that are asked for again. Beyond it the oldest is shown as it is, and let go.
	maxUndecided = 10_000
	// followRetryAtMost is the longest pause before asking again an API that does not answer.
	followRetryAtMost = 5 * time.Second
)

// follower shows events as they come. It asks for what is new and, until each is decided, for those that are not; the
// status is compared here, because an event has none yet when it comes.
type follower struct {
	r           resource
	filter      url.Values
	status      string
	out         eventWriter
	undecided   []*followed // oldest first
	settledAt   time.Time
	isConnected bool // it has answered once: from then on its absence is a pause, not a mistake
}

// followed is an event that was read.
type followed struct {
	event   query.EventItem
	raw     json.RawMessage
	readAt  time.Time
	isShown bool
}

func newFollower(r resource, asked eventFilter, sources sourceNames) *follower {
	members := asked.members()
	members.Set("after", "0s")
	if asked.Scope.Since != "" {
		members.Set("after", asked.Scope.Since)
	}
	for _, name := range []string{"since", "status"} {
		members.Del(name)
	}
	members.Set("limit", strconv.Itoa(followPage))
	out := eventWriter{out: r.tty.out, isJSON: r.output.Output == "json", sources: sources}
	return &follower{r: r, filter: members, status: asked.Status, out: out}
}

// run ends without an error when the context does.
func (f *follower) run() error {
	if err := f.out.header(); err != nil {
		return err
	}
	for {
		isMore, err := f.step()
		if f.r.ctx.Err() != nil {
			return nil //nolint:nilerr // ctrl-C cuts off whatever was under way
		}
		if err != nil {
			return err
		}
		if isMore {
			continue
		}
		select {
		case <-time.After(followEvery):
		case <-f.r.ctx.Done():
			return nil
		}
	}
}

// step shows what has come and what was decided since, and tells whether there is more to read at once.
func (f *follower) step() (isMore bool, err error) {
	page, err := f.ask(f.filter)
	if err != nil {
		return false, err
	}
	if page.NextCursor != nil {
		f.filter.Set("after", *page.NextCursor)
	}
	for _, raw := range page.Items {
		if err := f.take(raw); err != nil {
			return false, err
		}
	}
	isMore = len(page.Items) == followPage
	if isMore && time.Since(f.settledAt) < followEvery {
		return true, nil // what has piled up is decided about by the time it is read
	}
	f.settledAt = time.Now()
	return isMore, f.settle()
}

func (f *follower) take(raw json.RawMessage) error {
	events, err := decoded[query.EventItem]([]json.RawMessage{raw})
	if err != nil {
		return err
	}
	fresh := &followed{event: events[0], raw: raw, readAt: time.Now()}
	if fresh.event.Status != "" {
		return f.show(fresh)
	}
	f.undecided = append(f.undecided, fresh)
	if len(f.undecided) <= maxUndecided {
		return nil
	}
	oldest := f.undecided[0]
	f.undecided = f.undecided[1:]
	return f.show(oldest)
}

// settle asks for the decisions that are missing.
func (f *follower) settle() error {
	for asked := range slices.Chunk(f.undecided, followIDs) {
		query := url.Values{"limit": {strconv.Itoa(followPage)}}
		for _, e := range asked {
			query.Add("id", e.event.ID)
		}
		page, err := f.ask(query)
		if err != nil {
			return err
		}
		if err := f.update(page.Items); err != nil {
			return err
		}
	}
	open := f.undecided[:0]
	for _, e := range f.undecided {
		isDecided := e.event.Status != ""
		if !isDecided {
			open = append(open, e)
		}
		if isDecided || !e.isShown && time.Since(e.readAt) > decidedWithin {
			if err := f.show(e); err != nil {
				return err
			}
		}
	}
	f.undecided = open
	return nil
}

// update takes over what was decided since.
func (f *follower) update(items []json.RawMessage) error {
	events, err := decoded[query.EventItem](items)
	if err != nil {
		return err
	}
	now := map[string]int{}
	for i, e := range events {
		now[e.ID] = i
	}
	for _, e := range f.undecided {
		if i, found := now[e.event.ID]; found {
			e.event, e.raw = events[i], items[i]
		}
	}
	return nil
}

// show writes an event that the status fits. Before it is decided, none does.
func (f *follower) show(e *followed) error {
	isAgain := e.isShown
	e.isShown = true
	if f.status != "" && f.status != string(e.event.Status) || isAgain && e.event.Status == "" {
		return nil
	}
	return f.out.write(e.event, e.raw)
}

// ask repeats a question for as long as the API, which has answered before, does not.
func (f *follower) ask(question url.Values) (api.Page[json.RawMessage], error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = followEvery/2, followRetryAtMost
	isAway := false
	page, err := backoff.Retry(f.r.ctx, func() (page api.Page[json.RawMessage], err error) {
		err = f.r.client.Do(f.r.ctx, api.Call{Method: http.MethodGet, Path: "/events", Query: question}, &page)
		if err != nil && (!f.isConnected || isRefusal(err)) {
			err = backoff.Permanent(err)
		}
		return page, err
	}, backoff.WithBackOff(waits), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		if !isAway && f.r.ctx.Err() == nil {
			fmt.Fprintf(f.r.tty.err, "millrace: %v\nIt is asked again until it answers.\n", err)
		}
		isAway = true
	}))
	if err != nil {
		return page, err
	}
	if isAway {
		fmt.Fprintln(f.r.tty.err, "millrace: it answers again")
	}
	f.isConnected = true
	return page, nil
}

// isRefusal tells an answer that would be the same the next time.
func isRefusal(err error) bool {
	var refused *api.RefusedError
	return errors.As(err, &refused) && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusTooManyRequests
}
