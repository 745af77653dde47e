package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestSourceIsCreatedWithItsEndpoints(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app","description":"our shop"}`, http.StatusCreated)
	id, _ := made["id"].(string)
	if !strings.HasPrefix(id, "src_") || made["name"] != "app" || made["description"] != "our shop" {
		t.Fatalf("made %v", made)
	}
	endpoints, _ := made["endpoints"].(map[string]any)
	for _, environment := range []string{"development", "production"} {
		endpoint, _ := endpoints[environment].(map[string]any)
		key, _ := endpoint["key"].(string)
		if key == "" || endpoint["url"] != "http://ingest.example/v1/receive/"+key || endpoint["dedup_window"] != "24h0m0s" {
			t.Errorf("%s: %v", environment, endpoint)
		}
	}
	for _, path := range []string{"/api/v1/sources/app", "/api/v1/sources/" + id} {
		if got := s.call("GET", path, "", http.StatusOK); got["id"] != id {
			t.Errorf("%s: %v", path, got)
		}
	}
	list := s.call("GET", "/api/v1/sources", "", http.StatusOK)
	if next, present := list["next_cursor"]; len(items(list)) != 1 || !present || next != nil {
		t.Errorf("list: %v", list)
	}
}

func TestSourceSettingsChangeOneByOne(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app","endpoints":{"production":{"dedup_window":"1h"}}}`, http.StatusCreated)
	key := endpoint(made, "production")["key"]
	changed := s.call("PATCH", "/api/v1/sources/app", `{"endpoints":{"production":{"disabled":true,"signature":{"scheme":"segment","secret":"env:S"}}}}`, http.StatusOK)
	got := endpoint(changed, "production")
	if got["key"] != key || got["dedup_window"] != "1h0m0s" || got["disabled"] != true || got["signature"] == nil || changed["revision"] != 2.0 {
		t.Errorf("changed %v", changed)
	}
	changed = s.call("PATCH", "/api/v1/sources/app", `{"endpoints":{"production":{"dedup_window":"off","signature":{"scheme":""}}}}`, http.StatusOK)
	if got := endpoint(changed, "production"); got["dedup_window"] != "off" || got["signature"] != nil {
		t.Errorf("changed %v", changed)
	}
}

func endpoint(source map[string]any, environment string) map[string]any {
	endpoints, _ := source["endpoints"].(map[string]any)
	found, _ := endpoints[environment].(map[string]any)
	return found
}

func TestTriggerLivesThroughCreatePatchDelete(t *testing.T) {
	s := newServer(t)
	source := s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	made := s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"app","event":"Signed Up","workflow":"welcome",
		"condition":"data.plan == \"pro\"","mapping":{"recipients":"user_id","data":{"plan":"data.plan"}}}`, http.StatusCreated)
	if made["status"] != "active" || made["revision"] != 1.0 || made["source_id"] != source["id"] {
		t.Errorf("made %v", made)
	}
	id, _ := made["id"].(string)
	changed := s.call("PATCH", "/api/v1/triggers/"+id, `{"status":"inactive"}`, http.StatusOK)
	if changed["status"] != "inactive" || changed["revision"] != 2.0 || changed["condition"] != made["condition"] {
		t.Errorf("changed %v", changed)
	}
	for query, want := range map[string]int{"": 1, "?environment=production": 1, "?environment=development": 0, "?source=app": 1, "?event=Other": 0} {
		if got := items(s.call("GET", "/api/v1/triggers"+query, "", http.StatusOK)); len(got) != want {
			t.Errorf("triggers%s: %v", query, got)
		}
	}
	s.call("DELETE", "/api/v1/triggers/"+id, "", http.StatusNoContent)
	s.refused("GET", "/api/v1/triggers/"+id, "", http.StatusNotFound, "not_found", "")
	s.refused("DELETE", "/api/v1/triggers/"+id, "", http.StatusNotFound, "not_found", "")
}

func TestTriggerThatDoesNotCompileIsRefusedWithItsPosition(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	create := func(rest string) string {
		return `{"environment":"production","source_id":"app","event":"E","workflow":"w",` + rest + `}`
	}
	problem := s.refused("POST", "/api/v1/triggers", create(`"condition":"data.total >"`), 422, "invalid_expression", "condition")
	if problem["line"] != 1.0 || problem["column"] == nil {
		t.Errorf("no position: %v", problem)
	}
	s.refused("POST", "/api/v1/triggers", create(`"mapping":{"data":{"x":{"expr":"1 +"}}}`), 422, "invalid_expression", "mapping.data.x")
	s.refused("POST", "/api/v1/triggers", create(`"mapping":{"recipients":"nowhere.id"}`), 422, "invalid_expression", "mapping.recipients")

	made := s.call("POST", "/api/v1/triggers", create(`"condition":"true"`), http.StatusCreated)
	id, _ := made["id"].(string)
	s.refused("PATCH", "/api/v1/triggers/"+id, `{"condition":"data."}`, 422, "invalid_expression", "condition")
	if kept := s.call("GET", "/api/v1/triggers/"+id, "", http.StatusOK); kept["condition"] != "true" || kept["revision"] != 1.0 {
		t.Errorf("a refused change was saved: %v", kept)
	}
}

func TestBadRequestsAreNamed(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	s.refused("POST", "/api/v1/sources", `{`, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", ``, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", `{"name":"a"} {}`, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", `{"nickname":"a"}`, 422, "invalid", "nickname")
	s.refused("POST", "/api/v1/sources", `{"name":7}`, 422, "invalid", "name")
	s.refused("POST", "/api/v1/sources", `{"name":"app"}`, 422, "invalid", "name")
	s.refused("POST", "/api/v1/sources", `{"name":"b","endpoints":{"production":{"dedup_window":"1s"}}}`, 422, "invalid", "endpoints.production.dedup_window")
	s.refused("POST", "/api/v1/triggers", `{"environment":"staging","source_id":"app","event":"E","workflow":"w"}`, 422, "invalid", "environment")
	s.refused("GET", "/api/v1/triggers?source=nobody", "", 404, "not_found", "")
	s.refused("GET", "/api/v1/events?limit=0", "", 400, "invalid_filter", "limit")
	s.refused("GET", "/api/v1/nothing", "", 404, "not_found", "")
	s.refused("PUT", "/api/v1/sources", "", 405, "method_not_allowed", "")
	s.refused("POST", "/api/v1/sources", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "too_large", "")
}
