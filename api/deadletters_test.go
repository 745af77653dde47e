package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestBadRequestsToSendAgainAreNamed(t *testing.T) {
	s := newServer(t)
	const id = `"00000000-0000-0000-0000-000000000001"`
	f := func(body string, status int, code, field string) {
		t.Helper()
		s.refused("POST", "/api/v1/dead-letters/resend", body, status, code, field)
	}
	f(`{}`, 422, "invalid", "environment")
	f(`{"workflow":"w"}`, 422, "invalid", "environment")
	f(`{"environment":"production","state":"delivered"}`, 422, "invalid", "state")
	f(`{"environment":"production","limit":1001}`, 422, "invalid", "limit")
	f(`{"run_ids":[]}`, 422, "invalid", "run_ids")
	f(`{"run_ids":["7"]}`, 422, "invalid", "run_ids[0]")
	f(`{"run_ids":[`+id+`],"workflow":"w"}`, 422, "invalid", "run_ids")
	f(`{"run_ids":[`+id+strings.Repeat(","+id, 1000)+`]}`, 422, "invalid", "run_ids")
	f(`{"environment":"production","run_id":`+id+`}`, 422, "invalid", "run_id")
	f(`{"environment":"production","state":"closed"}`, 400, "invalid_filter", "state")
	f(`{"environment":"production","since":"yesterday"}`, 400, "invalid_filter", "since")
	f(`{"environment":"production","source":"nobody"}`, 404, "not_found", "")
	f(`{"run_ids":[`+id+`]}`, 503, "unavailable", "") // the log cannot be reached here
	s.refused("GET", "/api/v1/dead-letters?status_code=x", "", http.StatusBadRequest, "invalid_filter", "status_code")
	s.refused("GET", "/api/v1/dead-letters?status=400", "", http.StatusBadRequest, "invalid_filter", "status")
	s.refused("GET", "/api/v1/dead-letters/7", "", http.StatusBadRequest, "invalid_filter", "run_id")
}
