package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/bench/load/openloop"
	"github.com/millrace/millrace/schemas"
)

const production = "production"

// startPatience is how long the parts may take to come up.
const startPatience = 2 * time.Minute

func (w *world) awaitAPI(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("the API did not answer within %s", startPatience))
	defer cancel()
	client := api.NewClient("http://"+w.api, "")
	return poll(ctx, func() (bool, error) {
		_, err := client.Environment(ctx, production)
		return err == nil, nil
	})
}

// prepare makes the source and its triggers, through the API.
func (w *world) prepare(ctx context.Context) error {
	if err := w.awaitAPI(ctx); err != nil {
		return err
	}
	client := api.NewClient("http://"+w.api, "")
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	made := api.Call{Method: http.MethodPost, Path: "/sources", Body: map[string]any{"name": "pipeline"}}
	if err := client.Do(ctx, made, &source); err != nil {
		return err
	}
	for i := range w.settings.triggers {
		if err := client.Do(ctx, api.Call{Method: http.MethodPost, Path: "/triggers", Body: w.trigger(source.ID, i)}, nil); err != nil {
			return err
		}
	}
	var err error
	w.endpoint, err = url.Parse(source.Endpoints[production].URL)
	return err
}

// trigger is one of those that the processor is measured with (bench/processor): the first ones match, the others ask
// about a total and a currency, and never match.
func (w *world) trigger(source string, i int) map[string]any {
	event, condition := schemas.AnyEvent, fmt.Sprintf(`data.total > %d && data.currency == "XXX"`, i)
	if i < w.settings.matching {
		condition = `context.locale != nil && environment == "production"`
		if w.settings.only != "" {
			event = w.settings.only
		}
	}
	return map[string]any{
		"environment": production, "source_id": source, "event": event, "workflow": fmt.Sprintf("%s%d", workflowPrefix, i), "condition": condition,
		"mapping": map[string]any{
			"recipients": json.RawMessage(`{"expr": "user_id ?? anonymous_id"}`),
			"data":       map[string]any{"id": "message_id", "url": "context.page.url", "properties": "data"},
		},
	}
}

// prime posts an event, again until it is taken, and waits until it has gone all the way.
func (w *world) prime(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("no event went through within %s", startPatience))
	defer cancel()
	began := time.Now().Truncate(time.Microsecond)
	err := poll(ctx, func() (bool, error) {
		paced, err := openloop.Pace{
			Address: w.ingest, Path: w.endpoint.Path, Rate: 1, Connections: 1, Events: 1,
			Body: func(n int, buffer []byte) []byte { return w.events.Append(buffer, n, began, 1) },
		}.Post(ctx, time.Now())
		return err == nil && paced.Answers[fasthttp.StatusNoContent] == 1, err
	})
	if err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) {
		lag, err := w.lag(ctx)
		return err == nil && lag.isJoined && lag.total() == 0, nil // groups are made late
	})
}
