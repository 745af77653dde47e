package api_test

import "testing"

func TestTokenIsToldItsNameAndScope(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	f := func(token, name, scope string) {
		t.Helper()
		me := s.as(token).call("GET", "/api/v1/me", "", 200)
		if me["name"] != name || me["scope"] != scope {
			t.Errorf("%v, want %s, %s", me, name, scope)
		}
	}
	f(readToken, "grafana", "read")
	f(writeToken, "ci", "write")
	f(adminToken, "ops", "admin")
	s.refused("GET", "/api/v1/me", "", 401, "unauthorized", "")
}

func TestWithoutTokensThisMachineIsToldThatItMayDoEverything(t *testing.T) {
	s := newServer(t)
	if me := s.call("GET", "/api/v1/me", "", 200); me["name"] != "loopback" || me["scope"] != "admin" {
		t.Error(me)
	}
}
