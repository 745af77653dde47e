package api_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestTokensAreListedByNameAndScopeAlone(t *testing.T) {
	settings := tokenSettings(t)
	s := newServer(t, settings...)
	answer := s.as(adminToken).send("GET", "/api/v1/tokens", "", nil)
	want := `{"items":[{"name":"grafana","scope":"read"},{"name":"ci","scope":"write"},{"name":"ops","scope":"admin"}],"next_cursor":null}`
	if got := strings.TrimSpace(string(answer.Body)); answer.Status != http.StatusOK || got != want {
		t.Errorf("%d %s, want %s", answer.Status, got, want)
	}
	s.as(writeToken).refused("GET", "/api/v1/tokens", "", http.StatusForbidden, "forbidden", "")
}

func TestWithoutTokensNoneIsListed(t *testing.T) {
	s := newServer(t)
	if got := items(s.call("GET", "/api/v1/tokens", "", http.StatusOK)); !reflect.DeepEqual(got, []any{}) {
		t.Error(got)
	}
}
