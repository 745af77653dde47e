package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/api"
)

// The tokens of the tests, one for each scope.
const (
	readToken  = "read-0123456789abcdef"
	writeToken = "write-0123456789abcdef"
	adminToken = "admin-0123456789abcdef"
)

// tokenSettings are the settings for the tokens.
func tokenSettings(t *testing.T) []string {
	t.Helper()
	t.Setenv("TEST_READ_TOKEN", readToken)
	t.Setenv("TEST_WRITE_TOKEN", writeToken)
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(adminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"grafana:read:env:TEST_READ_TOKEN", "ci:write:env:TEST_WRITE_TOKEN", "ops:admin:file:" + path}
}

func TestWhoShowsNoKnownTokenIsTurnedAway(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	f := func(authorization string, want int) {
		t.Helper()
		header := http.Header{}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		if want == http.StatusOK {
			s.callWith(header, "GET", "/api/v1/sources", "", want)
			return
		}
		s.refusedWith(header, "GET", "/api/v1/sources", "", want, "unauthorized", "")
	}
	f("", 401)
	f("Bearer", 401)
	f("Bearer ", 401)
	f("Bearer wrong-0123456789abcdef", 401)
	f("Bearer "+readToken+"x", 401)
	f("Bearer "+readToken[:len(readToken)-1], 401)
	f("Basic "+readToken, 401)
	f(readToken, 401)
	f("Bearer "+readToken, 200)
	f("bearer  "+adminToken, 200)
	s.refused("GET", "/api/v1/nothing", "", 401, "unauthorized", "") // what exists is nobody's business
}

func TestScopeThatIsTooSmallIsNamed(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	problem := s.as(readToken).refused("POST", "/api/v1/sources", `{"name":"app"}`, 403, "forbidden", "")
	if message, _ := problem["message"].(string); !strings.Contains(message, "scope write") {
		t.Error(message)
	}
	s.as(writeToken).call("POST", "/api/v1/sources", `{"name":"app"}`, 201)
	// Routes match without regard to case; so must what they need.
	s.as(writeToken).send("GET", "/api/v1/sources", "", nil)
	for _, path := range []string{"/api/v1/environments", "/API/V1/Environments", "/api/v1/environments/"} {
		answer := s.as(writeToken).raw("POST", path, `{"name":"staging"}`, nil)
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	s.as(adminToken).call("POST", "/api/v1/environments", `{"name":"staging"}`, 201)
}

// raw makes a request that the document does not describe.
func (s server) raw(method, path, body string, change func(*http.Request)) *http.Response {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	if change != nil {
		change(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestKeysAndSecretReferencesAreMaskedForWhoMayOnlyRead(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	made := s.as(writeToken).call("POST", "/api/v1/sources", `{"name":"app","endpoints":{"production":{"signature":{"scheme":"segment","secret":"env:SIGNING"}}}}`, 201)
	key, _ := endpoint(made, "production")["key"].(string)
	s.as(adminToken).call("PATCH", "/api/v1/environments/production", `{"workflow_api":{"base_url":"https://api.example","api_key":"file:/run/knock"}}`, 200)
	for _, path := range []string{"/api/v1/sources", "/api/v1/sources/app"} {
		shown := string(s.as(readToken).send("GET", path, "", nil).Body)
		if strings.Contains(shown, key) || strings.Contains(shown, "SIGNING") || !strings.Contains(shown, `/v1/receive/***"`) {
			t.Errorf("%s: %s", path, shown)
		}
		if shown := string(s.as(writeToken).send("GET", path, "", nil).Body); !strings.Contains(shown, "/v1/receive/"+key) || !strings.Contains(shown, "env:SIGNING") {
			t.Errorf("%s: %s", path, shown)
		}
	}
	for _, path := range []string{"/api/v1/environments", "/api/v1/environments/production"} {
		if shown := string(s.as(readToken).send("GET", path, "", nil).Body); strings.Contains(shown, "/run/knock") || !strings.Contains(shown, `"api_key":"***"`) {
			t.Errorf("%s: %s", path, shown)
		}
		if shown := string(s.as(writeToken).send("GET", path, "", nil).Body); !strings.Contains(shown, "file:/run/knock") {
			t.Errorf("%s: %s", path, shown)
		}
	}
}

func TestWithoutTokensOnlyThisMachineIsServed(t *testing.T) {
	s := newServer(t)
	f := func(method string, header map[string]string, want int) {
		t.Helper()
		answer := s.raw(method, "/api/v1/triggers", "{}", func(request *http.Request) {
			for name, value := range header {
				request.Header.Set(name, value)
			}
			if host := header["Host"]; host != "" {
				request.Host = host
			}
		})
		if answer.StatusCode != want {
			t.Errorf("%s with %v: %s, want %d", method, header, answer.Status, want)
		}
	}
	const saved, allowed, refused = 422, 200, 403 // an empty trigger is invalid, once the request is let in
	here := strings.TrimPrefix(s.url, "http://")
	f("GET", map[string]string{"Host": "evil.example"}, refused)
	f("GET", map[string]string{"Host": "127.0.0.1.evil.example:8081"}, refused)
	f("GET", map[string]string{"Host": "evil.example", "X-Forwarded-Host": "localhost"}, refused)
	f("GET", map[string]string{"Host": "localhost:1"}, allowed)
	f("GET", map[string]string{"Host": "[::1]:8081"}, allowed)
	f("POST", nil, saved)
	f("POST", map[string]string{"Origin": "http://evil.example"}, refused)
	f("POST", map[string]string{"Origin": "null"}, refused)
	f("POST", map[string]string{"Origin": "http://127.0.0.1:1"}, refused)
	f("POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, refused)
	f("POST", map[string]string{"Sec-Fetch-Site": "same-site"}, refused)
	f("POST", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://" + here}, saved)
	f("POST", map[string]string{"Origin": "http://" + here}, saved)
	if !strings.Contains(s.logged.String(), "--api-tokens") {
		t.Error("that no token is needed is not said")
	}
}

func TestTokenSettingsThatCannotWorkAreRefusedByName(t *testing.T) {
	t.Setenv("GOOD", readToken)
	t.Setenv("SHORT", "hunter2")
	t.Setenv("SAME", readToken)
	f := func(want string, tokens ...string) {
		t.Helper()
		_, err := api.New(api.Config{Tokens: tokens}, nil, nil, nil, api.EventLog{}, nil, api.Replays{}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--api-tokens") {
			t.Errorf("%v: %v, want %s", tokens, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), readToken)) {
			t.Errorf("the refusal repeats the token: %v", err)
		}
	}
	f("entry 1: give NAME:SCOPE:REF", readToken)
	f("entry 1: give NAME:SCOPE:REF", "ci:hunter2")
	f("entry 2: its scope is none of read, write, admin", "a:read:env:GOOD", "ci:root:env:GOOD")
	f("by reference", "ci:read:hunter2")
	f("token ci: secret env:NOT_SET", "ci:read:env:NOT_SET")
	f("token ci: it is shorter than 16", "ci:read:env:SHORT")
	f("another token is named ci", "ci:read:env:GOOD", "ci:admin:env:GOOD")
	f("another name has the same token", "a:read:env:GOOD", "b:read:env:SAME")
	f("has a meaning in the audit log", "loopback:read:env:GOOD")
}

func TestListeningForOthersWithoutATokenIsRefused(t *testing.T) {
	t.Setenv("GOOD", readToken)
	f := func(listen string, ok bool, tokens ...string) {
		t.Helper()
		err := api.Config{Listen: listen, Tokens: tokens}.Validate()
		if (err == nil) != ok {
			t.Errorf("%s %v: %v", listen, tokens, err)
		}
		if err != nil && !strings.Contains(err.Error(), "--api-") {
			t.Errorf("no setting is named: %v", err)
		}
	}
	f("127.0.0.1:8081", true)
	f("localhost:8081", true)
	f("[::1]:8081", true)
	f(":8081", false)
	f("0.0.0.0:8081", false)
	f("10.1.2.3:8081", false)
	f("millrace.example:8081", false)
	f("8081", false)
	f("0.0.0.0:8081", true, "ci:read:env:GOOD")

	role, err := api.New(api.Config{}, nil, nil, nil, api.EventLog{}, nil, api.Replays{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := role.Run(context.Background(), listener); err == nil || !strings.Contains(err.Error(), "for example --api-tokens=") {
		t.Errorf("it serves: %v", err)
	}
}

// TestTokensAndKeysAreInNoLog is a canary: whatever is done with them, the log does not have them.
func TestTokensAndKeysAreInNoLog(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	const wrong = "wrong-fedcba9876543210"
	canaries := []string{readToken, writeToken, adminToken, wrong}
	note := func(answer map[string]any) {
		for _, environment := range []string{"development", "production"} {
			key, _ := endpoint(answer, environment)["key"].(string)
			canaries = append(canaries, key)
		}
	}
	note(s.as(writeToken).call("POST", "/api/v1/sources", `{"name":"app"}`, 201))
	note(s.as(writeToken).call("POST", "/api/v1/sources/app/endpoints/production/rotate", "", 200))
	note(s.as(adminToken).call("GET", "/api/v1/sources/app", "", 200))
	s.as(wrong).call("GET", "/api/v1/sources", "", 401)
	s.as(readToken).call("PATCH", "/api/v1/sources/app", `{}`, 403)
	s.as(readToken).call("GET", "/api/v1/events", "", 503) // is logged
	logged := s.logged.String()
	if !strings.Contains(logged, "answering a management request") {
		t.Fatal("nothing was logged; the canary proves nothing")
	}
	for _, canary := range canaries {
		text, _ := json.Marshal(canary)
		if strings.Contains(logged, canary) || strings.Contains(logged, string(text)) {
			t.Errorf("%s is in the log", canary)
		}
	}
}
