package api

import (
	"context"
	"net/http"
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
