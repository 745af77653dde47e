package api_test

import (
	"net/http"
	"strings"
	"testing"
)

const twoResources = `[{"kind":"source","name":"shop"},{"kind":"trigger","name":"t","environments":["development","production"],"source":"shop","event":"E","workflow":"w"}]`

func TestApplyAnswersWithThePlanAndWhatWasDone(t *testing.T) {
	s := newServer(t)
	planned := s.call("POST", "/api/v1/apply", `{"resources":`+twoResources+`,"dry_run":true}`, http.StatusOK)
	if planned["applied"] != false || len(s.sources()) != 0 {
		t.Errorf("a dry run applied: %v", planned)
	}
	body := `{"resources":` + twoResources + `,"fingerprint":"` + planned["fingerprint"].(string) + `"}`
	applied := s.call("POST", "/api/v1/apply", body, http.StatusOK)
	changes, _ := applied["changes"].([]any)
	if applied["applied"] != true || len(changes) != 3 {
		t.Fatalf("applied %v", applied)
	}
	first, _ := changes[0].(map[string]any)
	if first["action"] != "create" || first["kind"] != "source" || first["name"] != "shop" || first["id"] != s.sources()[0].(map[string]any)["id"] {
		t.Errorf("first change %v", first)
	}
	fields, _ := first["fields"].([]any)
	if field, _ := fields[0].(map[string]any); field["field"] != "endpoints.development.dedup_window" || field["before"] != nil || field["after"] != "24h" {
		t.Errorf("fields %v", fields)
	}
	s.refused("POST", "/api/v1/apply", body, http.StatusPreconditionFailed, "stale", "fingerprint")
	again := s.call("POST", "/api/v1/apply", `{"resources":`+twoResources+`,"prune":true}`, http.StatusOK)
	if changes, isList := again["changes"].([]any); !isList || len(changes) != 0 || again["unchanged"] != 3.0 {
		t.Errorf("again %v", again)
	}
}

func (s server) sources() []any {
	s.t.Helper()
	return items(s.call("GET", "/api/v1/sources", "", http.StatusOK))
}

func TestApplyNamesEveryProblemByResourceAndField(t *testing.T) {
	s := newServer(t)
	answer := s.call("POST", "/api/v1/apply", `{"resources":[{"kind":"source","name":"shop","colour":"red"},
		{"kind":"trigger","name":"t","environments":["development","production"],"source":"shop","event":"E","workflow":"w","condition":"data.x >","mapping":{"recipients":"nowhere.id"}}]}`, 422)
	problem, _ := answer["error"].(map[string]any)
	found, _ := problem["problems"].([]any)
	if problem["code"] != "invalid_resources" || len(found) != 3 {
		t.Fatalf("answered %v", answer)
	}
	for i, want := range []map[string]any{
		{"resource": 0.0, "kind": "source", "name": "shop", "field": "colour"},
		{"resource": 1.0, "kind": "trigger", "name": "t", "field": "condition", "line": 1.0},
		{"resource": 1.0, "kind": "trigger", "field": "mapping.recipients"},
	} {
		got, _ := found[i].(map[string]any)
		for member, value := range want {
			if got[member] != value {
				t.Errorf("problem %d: %s is %v in %v", i, member, got[member], got)
			}
		}
	}
	s.refused("POST", "/api/v1/apply", `{"resources":[],"prune":true}`, 422, "invalid", "prune")
	s.refused("POST", "/api/v1/apply", `{"resources":[],"prnue":true}`, 422, "invalid", "prnue")
	s.refused("POST", "/api/v1/sources", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "too_large", "")
	if len(s.sources()) != 0 {
		t.Error("something was applied")
	}
}

func TestLargeCatalogIsAppliedAtOnce(t *testing.T) {
	s := newServer(t)
	var b strings.Builder
	b.WriteString(`{"resources":[{"kind":"source","name":"shop","description":"` + strings.Repeat("x", 1000) + `"}`)
	for i := range 500 {
		b.WriteString(`,{"kind":"trigger","name":"t` + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + `","environment":"production","source":"shop","event":"E","workflow":"w","condition":"` + strings.Repeat(" ", 3000) + `true"}`)
	}
	b.WriteString(`]}`)
	if b.Len() < 1<<20 {
		t.Fatal("not large")
	}
	if applied := s.call("POST", "/api/v1/apply", b.String(), http.StatusOK); len(applied["changes"].([]any)) != 501 {
		t.Errorf("%d changes", len(applied["changes"].([]any)))
	}
	exported := s.call("GET", "/api/v1/export", "", http.StatusOK)
	if resources, _ := exported["resources"].([]any); len(resources) != 503 {
		t.Errorf("%d resources", len(resources))
	}
}

// TestApplyNeedsTheScopeOfWhatItChanges looks for the way around the scope of the environments' own calls.
func TestApplyNeedsTheScopeOfWhatItChanges(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	const source = `{"resources":[{"kind":"source","name":"app"}]}`
	const environment = `{"resources":[{"kind":"environment","name":"staging"}]`
	s.as(readToken).refused("POST", "/api/v1/apply", source, 403, "forbidden", "")
	s.as(writeToken).call("POST", "/api/v1/apply", source, 200)
	s.as(writeToken).call("POST", "/api/v1/apply", environment+`,"dry_run":true}`, 200)
	s.as(writeToken).refused("POST", "/api/v1/apply", environment+`}`, 403, "forbidden", "")
	s.as(adminToken).call("GET", "/api/v1/environments/staging", "", 404)
	s.as(adminToken).call("POST", "/api/v1/apply", environment+`}`, 200)
	s.as(writeToken).call("POST", "/api/v1/apply", environment+`}`, 200) // nothing to change
}
