package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

const good = `{"type":"track","event":"Signed Up","userId":"u1","messageId":"refusal-1"}`

// refused is one request and the answer it must get.
type refused struct {
	name        string
	method      string
	endpoint    string
	contentType string
	body        string
	status      int
	code, field string
}

func refusals(endpoint, disabled, signed string) []refused {
	unknown := endpoint[:strings.LastIndex(endpoint, "/")] + "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	post := func(name, body string, status int, code, field string) refused {
		return refused{name, http.MethodPost, endpoint, "application/json", body, status, code, field}
	}
	return []refused{
		post("not JSON", `{`, 400, "invalid_json", ""),
		post("duplicate member", `{"type":"track","event":"A","event":"B"}`, 400, "invalid_json", "event"),
		post("bad UTF-8", "{\"type\":\"track\",\"event\":\"\xff\"}", 400, "invalid_json", ""),
		post("too deep", `{"type":"track","event":"A","x":`+strings.Repeat("[", 64)+strings.Repeat("]", 64)+`}`, 400, "invalid_json", ""),
		{"no signature", http.MethodPost, signed, "application/json", good, 401, "invalid_signature", ""},
		{"unknown endpoint", http.MethodPost, unknown, "application/json", good, 404, "unknown_endpoint", ""},
		{"disabled endpoint", http.MethodPost, disabled, "application/json", good, 404, "unknown_endpoint", ""},
		{"not POST", http.MethodPut, endpoint, "application/json", good, 405, "method_not_allowed", ""},
		{"not JSON by its type", http.MethodPost, endpoint, "text/plain", good, 415, "unsupported_media_type", ""},
		post("too large", `{"type":"track","event":"A","x":"`+strings.Repeat("x", 512<<10)+`"}`, 413, "event_too_large", ""),
		post("type missing", `{"event":"A"}`, 422, "invalid_event", "type"),
		post("event empty", `{"type":"track","event":""}`, 422, "invalid_event", "event"),
		post("event too long", `{"type":"track","event":"`+strings.Repeat("e", 256)+`"}`, 422, "invalid_event", "event"),
		post("properties no object", `{"type":"track","event":"A","properties":[1]}`, 422, "invalid_event", "properties"),
		post("userId no string", `{"type":"track","event":"A","userId":1}`, 422, "invalid_event", "userId"),
		post("messageId no string", `{"type":"track","event":"A","messageId":1}`, 422, "invalid_event", "messageId"),
		post("timestamp not ISO-8601", `{"type":"track","event":"A","timestamp":"now"}`, 422, "invalid_event", "timestamp"),
		post("array", `[`+good+`]`, 422, "batch_not_supported", ""),
		post("batch", `{"batch":[`+good+`]}`, 422, "batch_not_supported", "batch"),
		post("identify", `{"type":"identify","userId":"u1"}`, 422, "unsupported_type", "type"),
	}
}

func TestEveryRefusalOfTheContract(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := rig.Start(t)
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	p.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "open"}, &source)
	endpoint, disabled := source.Endpoints["production"].URL, source.Endpoints["development"].URL
	p.Call(http.MethodPatch, "/api/v1/sources/"+source.ID, http.StatusOK,
		map[string]any{"endpoints": map[string]any{"development": map[string]any{"disabled": true}}}, nil)
	p.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "signed", "endpoints": map[string]any{
		"production": map[string]any{"signature": map[string]any{"scheme": "segment", "secret": "file:" + secret}},
	}}, &source)
	signed := source.Endpoints["production"].URL

	cases := refusals(endpoint, disabled, signed)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { requireRefused(t, c) })
	}
	t.Run("a good signature is accepted", func(t *testing.T) { requireSignedAccepted(t, signed) })
	requireRejectionsLogged(t, p)
}

func requireRefused(t *testing.T, c refused) {
	answer, err := rig.Request(c.method, c.endpoint, []byte(c.body), http.Header{"Content-Type": {c.contentType}})
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Error struct{ Code, Message, Field string }
	}
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		t.Fatalf("%d %q: %v", answer.Status, answer.Body, err)
	}
	if answer.Status != c.status || body.Error.Code != c.code || body.Error.Field != c.field || body.Error.Message == "" {
		t.Errorf("got %d %s, want %d %s, field %q", answer.Status, answer.Body, c.status, c.code, c.field)
	}
}

func requireSignedAccepted(t *testing.T, endpoint string) {
	mac := hmac.New(sha1.New, []byte("s3cret"))
	mac.Write([]byte(good))
	answer, err := rig.Request(http.MethodPost, endpoint, []byte(good), http.Header{"X-Signature": {hex.EncodeToString(mac.Sum(nil))}})
	if err != nil || answer.Status != http.StatusNoContent || len(answer.Body) > 0 {
		t.Errorf("got %d %s %v, want 204 without a body", answer.Status, answer.Body, err)
	}
}

// requireRejectionsLogged finds the refused requests in the event log, by their codes.
func requireRejectionsLogged(t *testing.T, p *rig.Pipeline) {
	t.Helper()
	codes := "invalid_json invalid_signature unknown_endpoint unsupported_media_type event_too_large invalid_event batch_not_supported unsupported_type"
	p.Eventually("the refusals are logged", func() error {
		rows, err := rig.Query[struct{ Code string }](p, "SELECT DISTINCT code FROM millrace.rejections")
		if err != nil {
			return err
		}
		var got bytes.Buffer
		for _, row := range rows {
			fmt.Fprintf(&got, "%s ", row.Code)
		}
		for code := range strings.FieldsSeq(codes) {
			if !strings.Contains(got.String(), code+" ") {
				return fmt.Errorf("no rejection with code %s among %s", code, got.String())
			}
		}
		return nil
	})
}
