package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/millrace/millrace/rig"
)

// canary stands in whatever must not be logged. Each place has its own end, which tells where a leak is from.
const canary = "cAnArY"

// canaryEvent has a canary in every field, known to Millrace or not.
func canaryEvent(name, message string) []byte {
	return fmt.Appendf(nil, `{"type":"track","event":"%[1]s-%[2]s","messageId":"%[1]s-%[3]s","userId":"%[1]s-user","anonymousId":"%[1]s-visitor",
		"timestamp":"2026-11-20T08:30:00Z","sentAt":"%[1]s-sent","%[1]s-unknown":"%[1]s-unknown-value",
		"context":{"ip":"%[1]s-ip","userAgent":"%[1]s-agent","traits":{"email":"%[1]s@example.com","%[1]s-trait":true},"page":{"url":"https://%[1]s.example"}},
		"integrations":{"%[1]s-integration":true},
		"properties":{"text":"%[1]s-text","%[1]s-name":"%[1]s-value","nested":{"deep":["%[1]s-deep"]}}}`, canary, name, message)
}

// TestNothingOfEventsAndNoSecretIsLogged runs a pipeline at the most talkative level, through all that goes well and that
// goes wrong, and looks for canaries in everything it has printed.
func TestNothingOfEventsAndNoSecretIsLogged(t *testing.T) {
	t.Setenv("CANARY_API_KEY", canary+"-api-key")
	t.Setenv("CANARY_OWN_KEY", canary+"-own-key")
	t.Setenv("CANARY_SIGNATURE", canary+"-signature-secret")
	t.Setenv("CANARY_SESSION", canary+"-session-key-of-the-console")
	var calls, keys atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), canary) {
			keys.Add(1)
		}
		switch {
		case strings.Contains(r.URL.Path, "refused"):
			w.WriteHeader(http.StatusBadRequest)
		case calls.Add(1) <= 2:
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, `{"message":"`+canary+`-answer"}`)
	}))
	t.Cleanup(api.Close)
	p := rig.Start(t, "--log-level=debug", "--workflow-api-url="+api.URL, "--workflow-api-key=env:CANARY_API_KEY", "--console-session-key=env:CANARY_SESSION")
	endpoints := canarySource(p, api.URL)
	postCanaries(t, p, endpoints)
	var letters struct {
		Items []struct {
			RunID   string `json:"run_id"`
			EventID string `json:"event_id"`
		} `json:"items"`
	}
	p.Eventually("runs are delivered, refused and logged", func() error {
		if err := p.TryCall(http.MethodGet, "/api/v1/dead-letters?since=1h", http.StatusOK, nil, &letters); err != nil {
			return err
		}
		if calls.Load() < 4 || keys.Load() < 4 || len(letters.Items) < 2 {
			return fmt.Errorf("%d calls, %d with a key, %d dead letters", calls.Load(), keys.Load(), len(letters.Items))
		}
		return nil
	})
	p.Stop()
	p.Restart()
	p.Stop()
	logged := p.Log()
	for _, letter := range letters.Items {
		if !strings.Contains(logged, "run_id="+letter.RunID) || !strings.Contains(logged, "event_id="+letter.EventID) {
			t.Errorf("the log does not tell run %s of event %s", letter.RunID, letter.EventID)
		}
	}
	secrets := []string{strings.ToLower(canary)}
	for _, url := range endpoints {
		secrets = append(secrets, strings.ToLower(url[strings.LastIndex(url, "/")+1:]))
	}
	for line := range strings.Lines(logged) {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(line), secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

// canarySource makes a source whose triggers match, fail in their condition, and are refused, and returns its endpoints:
// production has no signature, development asks for one.
func canarySource(p *rig.Pipeline, apiURL string) (endpoints map[string]string) {
	var source struct {
		ID        string `json:"id"`
		Endpoints map[string]struct {
			URL string `json:"url"`
		} `json:"endpoints"`
	}
	p.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "canaries"}, &source)
	p.Call(http.MethodPatch, "/api/v1/environments/production", http.StatusOK,
		map[string]any{"workflow_api": map[string]any{"base_url": apiURL, "api_key": "env:CANARY_OWN_KEY"}}, nil)
	p.Call(http.MethodPatch, "/api/v1/sources/"+source.ID, http.StatusOK, map[string]any{"endpoints": map[string]any{
		"development": map[string]any{"signature": map[string]any{"scheme": "segment", "secret": "env:CANARY_SIGNATURE"}},
	}}, nil)
	trigger := func(workflow, event, condition string) {
		p.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, map[string]any{
			"environment": "production", "source_id": source.ID, "event": canary + "-" + event, "workflow": workflow, "condition": condition,
			"mapping": map[string]any{"recipients": map[string]any{"expr": "user_id"}, "data": map[string]any{"text": "data.text"}},
		}, nil)
	}
	trigger("taken", "ok", "")
	trigger("refused", "refused", "")
	trigger("broken", "broken", "int(data.text) > 1")
	endpoints = map[string]string{}
	for environment, endpoint := range source.Endpoints {
		endpoints[environment] = endpoint.URL
	}
	return endpoints
}

func postCanaries(t *testing.T, p *rig.Pipeline, endpoints map[string]string) {
	t.Helper()
	post := func(want int, url string, body []byte, header http.Header) {
		t.Helper()
		answer, err := rig.Request(http.MethodPost, url, body, header)
		if err != nil || answer.Status != want {
			t.Fatalf("%d %s, %v, want %d", answer.Status, answer.Body, err, want)
		}
	}
	production := endpoints["production"]
	for i := range 2 {
		post(http.StatusNoContent, production, canaryEvent("ok", fmt.Sprint("taken-", i)), nil)
		post(http.StatusNoContent, production, canaryEvent("refused", fmt.Sprint("refused-", i)), nil)
		post(http.StatusNoContent, production, canaryEvent("broken", fmt.Sprint("broken-", i)), nil)
	}
	post(http.StatusNoContent, production, canaryEvent("ok", "taken-0"), nil) // a repeat
	post(http.StatusBadRequest, production, []byte(`{"type":"track","event":"`+canary), nil)
	post(http.StatusUnprocessableEntity, production, []byte(`{"type":"`+canary+`"}`), nil)
	post(http.StatusUnprocessableEntity, production, []byte(`{"type":"track","event":{"`+canary+`":1}}`), nil)
	post(http.StatusRequestEntityTooLarge, production, append(canaryEvent("ok", "large"), []byte(strings.Repeat(canary, 100_000))...), nil)
	post(http.StatusUnsupportedMediaType, production, canaryEvent("ok", "type"), http.Header{"Content-Type": {"text/" + canary}})
	post(http.StatusUnauthorized, endpoints["development"], canaryEvent("ok", "signed"), http.Header{"X-Signature": {canary}})
	post(http.StatusNotFound, p.IngestURL+"/v1/receive/"+canary, canaryEvent("ok", "nowhere"), nil)
	for _, url := range []string{p.APIURL + "/api/v1/sources", p.APIURL + "/api/v1/nowhere", p.ConsoleURL + "/sources"} {
		if _, err := rig.Request(http.MethodGet, url, nil, http.Header{"Authorization": {"Bearer " + canary + "-token"}}); err != nil {
			t.Fatal(err)
		}
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if _, err := rig.Request(http.MethodPost, p.ConsoleURL+"/login", []byte("token="+canary+"-login"), form); err != nil {
		t.Fatal(err)
	}
}
