package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestSourceAnswersStayAsTheyAre(t *testing.T) {
	s := newServer(t)
	s.golden("source-created", "POST", "/api/v1/sources", `{"name":"app","description":"our shop","endpoints":{"production":
		{"dedup_window":"off","max_bytes":65536,"signature":{"scheme":"segment","secret":"env:SIGNING"}}}}`, http.StatusCreated)
	s.golden("source-rotated", "POST", "/api/v1/sources/app/endpoints/production/rotate", `{"grace":"1h"}`, http.StatusOK)
	s.golden("sources", "GET", "/api/v1/sources", "", http.StatusOK)
	s.golden("source-refused", "POST", "/api/v1/sources", `{"nam":"x","endpoints":{"production":{"dedup_window":"1s","disabled":"yes","signature":{"secrt":"env:S"}}}}`,
		http.StatusUnprocessableEntity)
}

func TestSourceIsRenamedDisabledAndDeleted(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	changed := s.call("PATCH", "/api/v1/sources/app", `{"name":"shop","disabled":true}`, http.StatusOK)
	if changed["name"] != "shop" || changed["disabled"] != true || changed["id"] != made["id"] || endpoint(changed, "production")["key"] != endpoint(made, "production")["key"] {
		t.Errorf("changed %v", changed)
	}
	trigger := s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"shop","event":"E","workflow":"w"}`, http.StatusCreated)
	problem := s.refused("DELETE", "/api/v1/sources/shop", "", http.StatusConflict, "in_use", "")
	id, _ := trigger["id"].(string)
	if message, _ := problem["message"].(string); !strings.Contains(message, id) {
		t.Errorf("what is in the way is not named: %s", message)
	}
	s.call("DELETE", "/api/v1/triggers/"+id, "", http.StatusNoContent)
	s.call("DELETE", "/api/v1/sources/shop", "", http.StatusNoContent)
	s.refused("GET", "/api/v1/sources/shop", "", http.StatusNotFound, "not_found", "")
}

func TestRotatedKeyIsNewAndTheOldOneIsGoodForTheGracePeriod(t *testing.T) {
	s := newServer(t)
	made := s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	const rotate = "/api/v1/sources/app/endpoints/production/rotate"
	f := func(body string, previous int) {
		t.Helper()
		got := s.call("POST", rotate, body, http.StatusOK)
		key, _ := endpoint(got, "production")["key"].(string)
		old, _ := endpoint(got, "production")["previous_keys"].([]any)
		if key == "" || key == endpoint(made, "production")["key"] || len(old) != previous {
			t.Errorf("%s: %v", body, endpoint(got, "production"))
		}
		if endpoint(got, "development")["key"] != endpoint(made, "development")["key"] {
			t.Error("the other environment's key changed")
		}
	}
	f(`{"grace":"0s"}`, 0)
	f(``, 1) // 24 hours
	s.refused("POST", rotate, `{"grace":"-1s"}`, 422, "invalid", "grace")
	s.refused("POST", rotate, `{"grace":"721h"}`, 422, "invalid", "grace")
	s.refused("POST", rotate, `{"grace":60}`, 422, "invalid", "grace")
	s.refused("POST", "/api/v1/sources/app/endpoints/nowhere/rotate", ``, 404, "not_found", "")
	s.refused("POST", "/api/v1/sources/nobody/endpoints/production/rotate", ``, 404, "not_found", "")
	s.refusedWith(ifMatch(`"1"`), "POST", rotate, ``, 412, "stale", "If-Match")
}

func TestSourceGetsAnEndpointInANewEnvironment(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	s.call("POST", "/api/v1/environments", `{"name":"staging"}`, http.StatusCreated)
	if made := endpoint(s.call("GET", "/api/v1/sources/app", "", http.StatusOK), "staging"); made["key"] == "" || made["key"] == nil || made["dedup_window"] != "24h0m0s" {
		t.Errorf("made %v", made)
	}
	s.refused("PATCH", "/api/v1/sources/app", `{"endpoints":{"nowhere":{}}}`, 422, "invalid", "endpoints.nowhere")
}

func TestSignatureIsTakenAwayByNull(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app","endpoints":{"production":{"signature":{"scheme":"standard_webhooks","secret":"file:/run/s"}}}}`, http.StatusCreated)
	f := func(body string, present bool) {
		t.Helper()
		got := endpoint(s.call("PATCH", "/api/v1/sources/app", body, http.StatusOK), "production")
		if (got["signature"] != nil) != present {
			t.Errorf("%s: %v", body, got)
		}
	}
	f(`{"endpoints":{"production":{"disabled":true}}}`, true)
	f(`{"endpoints":{"production":{"signature":null}}}`, false)
}

func TestEveryFaultOfABodyIsReportedAtOnce(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	f := func(path, body string, want ...string) {
		t.Helper()
		answer := s.call("POST", path, body, http.StatusUnprocessableEntity)
		problem, _ := answer["error"].(map[string]any)
		several, _ := problem["problems"].([]any)
		var got []string
		for _, one := range several {
			fault, _ := one.(map[string]any)
			field, _ := fault["field"].(string)
			got = append(got, field)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || problem["field"] != want[0] {
			t.Errorf("%s: %v, want %v", body, problem, want)
		}
	}
	f("/api/v1/sources", `{"name":null,"descriptions":"x","disabled":1}`, "descriptions", "disabled", "name")
	f("/api/v1/sources", `{"name":"a/b","description":"`+strings.Repeat("x", 1025)+`"}`, "name", "description")
	f("/api/v1/triggers", `{"environment":"nowhere","source_id":"app","event":"E","workflow":"a b","condition":"data.","mapping":{"actor":"nobody.id"}}`,
		"workflow", "environment", "condition", "mapping.actor")
	f("/api/v1/triggers", `{"mapping":{"recipient":"user_id"},"Event":"E","conditions":["true"]}`, "Event", "conditions", "mapping.recipient")
}

func TestBodyThatIsNoObjectOrHasAMemberTwiceIsRefused(t *testing.T) {
	s := newServer(t)
	s.refused("POST", "/api/v1/sources", `{"name":"a","name":"b"}`, 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", "{\"name\":\"\xff\"}", 400, "invalid_json", "")
	s.refused("POST", "/api/v1/sources", `[]`, 422, "invalid", "")
	s.refused("POST", "/api/v1/sources", `null`, 422, "invalid", "")
	s.refused("POST", "/api/v1/sources", `{"endpoints":[]}`, 422, "invalid", "endpoints")
	s.refused("POST", "/api/v1/sources", `{"endpoints":{"production":null}}`, 422, "invalid", "endpoints.production")
}

func TestMemberThatMayHaveBeenMeantIsSuggested(t *testing.T) {
	s := newServer(t)
	f := func(member, want string) {
		t.Helper()
		problem := s.refused("POST", "/api/v1/sources", `{"`+member+`":1}`, 422, "invalid", member)
		if message, _ := problem["message"].(string); !strings.HasSuffix(message, want) {
			t.Errorf("%s: %s", member, message)
		}
	}
	f("anme", "did you mean name?")
	f("NAME", "did you mean name?")
	f("endpionts", "did you mean endpoints?")
	f("disable", "did you mean disabled?")
	f("x", "known are description, disabled, endpoints, name")
	f("id", "known are description, disabled, endpoints, name")
	f(strings.Repeat("x", 10_000), "known are description, disabled, endpoints, name")
}

func TestFaultsOfABodyAreReportedUpToABound(t *testing.T) {
	s := newServer(t)
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	answer := s.call("POST", "/api/v1/sources", `{`+strings.TrimSuffix(b.String(), ",")+`}`, http.StatusUnprocessableEntity)
	problem, _ := answer["error"].(map[string]any)
	if several, _ := problem["problems"].([]any); len(several) != 50 {
		t.Errorf("%d problems", len(several))
	}
}
