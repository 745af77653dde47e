package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestEnvironmentLivesThroughCreatePatchRenameDelete(t *testing.T) {
	s := newServer(t)
	s.golden("environment-created", "POST", "/api/v1/environments", `{"name":"staging","description":"before production",
		"workflow_api":{"base_url":"https://api.example","api_key":"env:KEY","concurrency":4}}`, http.StatusCreated)
	changed := s.call("PATCH", "/api/v1/environments/staging", `{"workflow_api":{"rate_limit":2.5}}`, http.StatusOK)
	api, _ := changed["workflow_api"].(map[string]any)
	if changed["description"] != "before production" || api["base_url"] != "https://api.example" || api["concurrency"] != 4.0 || api["rate_limit"] != 2.5 {
		t.Errorf("changed %v", changed)
	}
	s.golden("environments", "GET", "/api/v1/environments", "", http.StatusOK)
	renamed := s.call("PATCH", "/api/v1/environments/staging", `{"name":"preview","description":"shown to testers"}`, http.StatusOK)
	if renamed["name"] != "preview" || renamed["description"] != "shown to testers" {
		t.Errorf("renamed %v", renamed)
	}
	s.refused("GET", "/api/v1/environments/staging", "", http.StatusNotFound, "not_found", "")
	s.call("DELETE", "/api/v1/environments/preview", "", http.StatusNoContent)
	s.refused("DELETE", "/api/v1/environments/preview", "", http.StatusNotFound, "not_found", "")
}

func TestEnvironmentIsLeftToOthersAndBack(t *testing.T) {
	s := newServer(t)
	f := func(body, kind, order string) {
		t.Helper()
		changed, _ := s.call("PATCH", "/api/v1/environments/production", `{"workflow_api":`+body+`}`, http.StatusOK)["workflow_api"].(map[string]any)
		if changed["kind"] != kind || changed["order"] != order {
			t.Errorf("%s: %v", body, changed)
		}
	}
	f(`{"base_url":"https://a.example"}`, "http", "relaxed")
	f(`{"order":"strict"}`, "http", "strict")
	s.refused("PATCH", "/api/v1/environments/production", `{"workflow_api":{"kind":"none"}}`, http.StatusUnprocessableEntity, "invalid", "workflow_api.base_url")
	f(`{"kind":"none","base_url":""}`, "none", "strict")
	f(`{"kind":"","order":""}`, "http", "relaxed")
}

func TestRenamedEnvironmentKeepsItsEndpointsAndTriggers(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"app","event":"E","workflow":"w"}`, http.StatusCreated)
	s.call("PATCH", "/api/v1/environments/production", `{"name":"live"}`, http.StatusOK)
	source := s.call("GET", "/api/v1/sources/app", "", http.StatusOK)
	if endpoint(source, "live")["key"] != endpoint(made, "production")["key"] || endpoint(source, "production") != nil {
		t.Errorf("the endpoint is not the same: %v", source)
	}
	if got := items(s.call("GET", "/api/v1/triggers?environment=live", "", http.StatusOK)); len(got) != 1 {
		t.Errorf("triggers %v", got)
	}
}

func TestEnvironmentInUseIsNotRemoved(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	problem := s.refused("DELETE", "/api/v1/environments/production", "", http.StatusConflict, "in_use", "")
	if message, _ := problem["message"].(string); !strings.Contains(message, "disable it first") {
		t.Error(message)
	}
	s.call("PATCH", "/api/v1/sources/app", `{"endpoints":{"production":{"disabled":true}}}`, http.StatusOK)
	s.call("DELETE", "/api/v1/environments/production", "", http.StatusNoContent)
}

func TestEnvironmentIsRefusedByField(t *testing.T) {
	s := newServer(t)
	f := func(body, field, want string) {
		t.Helper()
		problem := s.refused("POST", "/api/v1/environments", body, http.StatusUnprocessableEntity, "invalid", field)
		if message, _ := problem["message"].(string); !strings.Contains(message, want) {
			t.Errorf("%s: %s, want %s", body, message, want)
		}
	}
	f(`{"name":"production"}`, "name", "is taken")
	f(`{"name":"a b"}`, "name", "letters, digits")
	f(`{"name":"`+strings.Repeat("x", 129)+`"}`, "name", "128")
	f(`{"name":"s","workflow_api":{"base_url":"ftp://x"}}`, "workflow_api.base_url", "http")
	f(`{"name":"s","workflow_api":{"api_key":"sk_live_123"}}`, "workflow_api.api_key", "env:NAME or file:PATH")
	f(`{"name":"s","workflow_api":{"concurrency":1.5}}`, "workflow_api.concurrency", "whole number")
	f(`{"name":"s","workflow_api":{"kind":"grpc"}}`, "workflow_api.kind", "use http or none")
	f(`{"name":"s","workflow_api":{"order":"random"}}`, "workflow_api.order", "use relaxed or strict")
	f(`{"name":"s","workflow_api":{"order":true}}`, "workflow_api.order", "give a string")
	f(`{"name":"s","workflow_api":{"kind":"none","base_url":"https://a.example"}}`, "workflow_api.base_url", "empty it, or set kind to http")
	f(`{"name":"s","workflow_api":{"kind":"none","api_key":"env:A"}}`, "workflow_api.api_key", "empty it, or set kind to http")
	f(`{"name":"s","workflow_api":{"bas_url":"x"}}`, "workflow_api.bas_url", "did you mean base_url?")
}
