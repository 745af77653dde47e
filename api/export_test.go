package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Routes lists what the API answers, as "METHOD /path/:parameter", for the test that compares them with the document.
func (a *API) Routes() []string {
	var routes []string
	for _, route := range a.app(context.Background()).GetRoutes(true) {
		if route.Method != http.MethodHead { // comes with each GET
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	return routes
}

// Speed is how fast something is known to be that was done as far as this at each of these times, and how many of them are
// kept to tell.
func Speed(at []time.Time, done []int64) (perSecond float64, isKnown bool, kept int) {
	var p pace
	for i := range at {
		perSecond, isKnown = p.perSecond(mark{at[i], done[i]})
	}
	return perSecond, isKnown, len(p)
}

// ReadBody reads a body as decode does, into every type that bodies are read into. It reports what the comparison found,
// and what was wrong all the same.
func ReadBody(body []byte) (faults int, err error) {
	value, err := readJSON(body)
	if err != nil {
		return 1, nil //nolint:nilerr // it is refused, which is all right
	}
	for _, into := range []any{&environmentInput{}, &sourceInput{}, &triggerInput{}, &replayInput{}} {
		found := misfits(value, into)
		if faults += len(found); len(found) > 0 {
			continue
		}
		if err := json.Unmarshal(body, into); err != nil {
			return faults, err
		}
	}
	return faults, nil
}
