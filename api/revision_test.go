package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// things makes one of each kind and returns their paths.
func things(s server) []string {
	s.t.Helper()
	s.call("POST", "/api/v1/environments", `{"name":"staging"}`, http.StatusCreated)
	s.call("POST", "/api/v1/sources", `{"name":"app","endpoints":{"staging":{"disabled":true}}}`, http.StatusCreated)
	s.call("POST", "/api/v1/sources", `{"name":"free","endpoints":{"staging":{"disabled":true}}}`, http.StatusCreated)
	trigger := s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"app","event":"E","workflow":"w"}`, http.StatusCreated)
	id, _ := trigger["id"].(string)
	return []string{"/api/v1/sources/free", "/api/v1/triggers/" + id, "/api/v1/environments/staging"}
}

func ifMatch(tag string) http.Header { return http.Header{"If-Match": {tag}} }

func TestChangeForAnotherRevisionIsRefused(t *testing.T) {
	s := newServer(t)
	for _, path := range things(s) {
		tag := s.send("GET", path, "", nil).Header.Get("ETag")
		if tag != `"1"` {
			t.Errorf("%s: ETag %s", path, tag)
		}
		s.callWith(ifMatch(tag), "PATCH", path, `{"description":"first"}`, http.StatusOK)
		problem := s.refusedWith(ifMatch(tag), "PATCH", path, `{"description":"second"}`, http.StatusPreconditionFailed, "stale", "If-Match")
		if message, _ := problem["message"].(string); !strings.Contains(message, "2") {
			t.Errorf("the current revision is not told: %s", message)
		}
		s.refusedWith(ifMatch(tag), "DELETE", path, "", http.StatusPreconditionFailed, "stale", "If-Match")
		got := s.call("GET", path, "", http.StatusOK)
		if got["description"] != "first" || got["revision"] != 2.0 {
			t.Errorf("a refused change was saved: %v", got)
		}
		s.refusedWith(ifMatch(`2`), "PATCH", path, `{}`, http.StatusBadRequest, "bad_request", "If-Match")
		s.refusedWith(ifMatch(`W/"2"`), "PATCH", path, `{}`, http.StatusBadRequest, "bad_request", "If-Match")
		s.callWith(ifMatch(`*`), "PATCH", path, `{"description":"third"}`, http.StatusOK)
		s.callWith(ifMatch(`"3"`), "DELETE", path, "", http.StatusNoContent)
		s.refusedWith(ifMatch(`"3"`), "DELETE", path, "", http.StatusNotFound, "not_found", "")
	}
}

func TestReaderWhoHasTheRevisionIsToldSo(t *testing.T) {
	s := newServer(t)
	for _, path := range things(s) {
		f := func(tag string, want int) {
			t.Helper()
			if answer := s.send("GET", path, "", http.Header{"If-None-Match": {tag}}); answer.Status != want {
				t.Errorf("%s with %s: %d", path, tag, answer.Status)
			}
		}
		f(`"1"`, http.StatusNotModified)
		f(`"7", W/"1"`, http.StatusNotModified)
		f(`"2"`, http.StatusOK)
		s.call("PATCH", path, `{"description":"changed"}`, http.StatusOK)
		f(`"1"`, http.StatusOK)
	}
}
