package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealthIsWhatTheRoleAnswers(t *testing.T) {
	status := http.StatusOK
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"ready":false,"partitions":{"3":"dedup index: 10 of 20 events"}}`))
	}))
	c := &cli{t: t}
	c.run(0, "health", role.URL+"/readyz")
	status = http.StatusServiceUnavailable
	c.fails([]string{"503", "10 of 20 events"}, "health", role.URL+"/readyz")
	role.Close()
	c.fails([]string{"asking for health"}, "health", role.URL+"/readyz")
}

func TestHealthDoesNotWaitForARoleThatHangs(t *testing.T) {
	hanging := make(chan struct{})
	role := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hanging }))
	defer role.Close()
	defer close(hanging)
	c := &cli{t: t}
	c.fails([]string{"deadline"}, "health", role.URL, "--timeout=20ms")
}
