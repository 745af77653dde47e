package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// canary stands wherever something must stay where it is. Each place has its own end, which tells where a leak is from.
const canary = "cAnArY"

// Secrets of the configuration. No part of Millrace may keep them, whatever an API answers.
const (
	apiKey          = canary + "-api-key"
	signatureSecret = canary + "-signature-secret"
)

// tables are those of the event log that events, runs and refusals end in.
func tables() []string {
	return []string{"events", "rejections", "decisions", "runs", "deliveries", "quarantine", "audit", "dead_letters"}
}

// errorColumns hold what Millrace itself says of what went wrong. Nothing of an event may be in it. The message of a
// rejection is not among them: it is what the sender was answered, in the sender's own words, beside the body.
func errorColumns() map[string]string {
	return map[string]string{
		"decisions": "reason, `triggers.reason`", "deliveries": "error", "dead_letters": "error, `attempts.error`",
		"quarantine": "reason",
	}
}

// refuses is a workflow API that refuses the runs of some events for good and those of others once, and tells in its
// answer all it was sent.
type refuses struct {
	dead func(int64) bool

	mu      sync.Mutex // guards what follows
	seen    map[string]bool
	withKey int
}

func (r *refuses) answer(w http.ResponseWriter, call *http.Request, body []byte) bool {
	var request struct{ Data struct{ N int64 } }
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if call.Header.Get("Authorization") == "Bearer "+apiKey {
		r.withKey++
	}
	key := call.Header.Get("Idempotency-Key")
	isFirst := !r.seen[key]
	r.seen[key] = true
	switch {
	case r.dead(request.Data.N):
		w.WriteHeader(http.StatusBadRequest)
	case isFirst && request.Data.N%10 == 1:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		return true
	}
	_, _ = fmt.Fprintf(w, `{"message":"%s-answer","authorization":%q}`, canary, call.Header.Get("Authorization")) // the caller may be gone
	return false
}

// hostileRequests are refused, each in its own way, with canaries wherever a request has room for them.
func hostileRequests(a attacker, endpoints map[string]string) []string {
	body := `{"type":"track","event":"Order","userId":"u","properties":{"text":"` + canary + `-refused"}}`
	elsewhere := func(path string, headers ...string) string {
		return attacker{a.address, path}.sized(body, headers...)
	}
	return []string{
		a.sized(`{"type":"track","event":"` + canary + `-cut-off`),
		a.sized(`{"type":"` + canary + `-type"}`),
		a.sized(`{"type":"track","event":{"` + canary + `-name":1}}`),
		a.sized(body, "Content-Encoding: "+canary),
		a.sized("{"+strings.Repeat(canary, 200_000), "X-Header: "+canary+"-header"),
		elsewhere("/v1/receive/" + canary + "-unknown-endpoint?token=" + canary + "-query"),
		elsewhere("/"+canary+"-path", "Authorization: Bearer "+canary+"-token", "Cookie: session="+canary+"-cookie"),
		elsewhere(endpoints["development"], "X-Signature: "+canary+"-signature"),
		"POST " + a.path + " " + canary + "\r\n\r\n",
		a.head("X-Long: " + strings.Repeat(canary, 5000)),
	}
}

// signedSource makes a second source whose events must be signed, and returns the paths of its endpoints.
func signedSource(t *testing.T, api *fleet.Process) map[string]string {
	t.Helper()
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	call := func(method, path string, in any) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := rig.Request(method, api.URL+"/api/v1/sources"+path, body, nil)
		if err != nil || answer.Status >= http.StatusMultipleChoices {
			t.Fatalf("%s %s: %v, %d %s", method, path, err, answer.Status, answer.Body)
		}
		if err := json.Unmarshal(answer.Body, &source); err != nil {
			t.Fatal(err)
		}
	}
	call(http.MethodPost, "", map[string]any{"name": "signed"})
	signed := map[string]any{"signature": map[string]any{"scheme": "segment", "secret": "env:CANARY_SIGNATURE"}}
	call(http.MethodPatch, "/"+source.ID, map[string]any{"endpoints": map[string]any{"development": signed}})
	paths := map[string]string{}
	for environment, endpoint := range source.Endpoints {
		_, key, _ := strings.Cut(endpoint.URL, "/v1/receive/")
		paths[environment] = "/v1/receive/" + key
	}
	return paths
}

// TestP22NoSecretIsKeptAndNothingOfEventsIsLogged runs all roles at the most talkative level, with deliveries that fail,
// and looks for canaries in all that they print, count and keep.
func TestP22NoSecretIsKeptAndNothingOfEventsIsLogged(t *testing.T) {
	t.Setenv("CANARY_API_KEY", apiKey)
	t.Setenv("CANARY_SIGNATURE", signatureSecret)
	length, random := settings(t)
	dead := func(n int64) bool { return n%10 == 3 }
	fails := func(int64) bool { return true }
	f := fleet.New(t, clickhouse, fleet.Options{
		Dead: dead, APIKeyRef: "env:CANARY_API_KEY", Flags: []string{"--log-level=debug"}, Properties: `"text":"` + canary + `-text","` + canary + `-name":1`,
		Triggers: []ledger.Trigger{{Trigger: schemas.Trigger{Workflow: "broken", Condition: "int(data.text) > 1"}, Matches: fails, Fails: fails}},
	})
	api := &refuses{dead: dead, seen: map[string]bool{}}
	f.Workflows.Follow(api.answer)
	ingest := startWithAPI(f, "eventlog")
	endpoints := signedSource(t, f.Process("api"))
	attacker := newAttacker(f, f.Process("ingest"))
	elsewhere := attacker
	elsewhere.path = endpoints["development"]
	// No event: the source is there for a moment before its signature is, and would take one.
	rig.Eventually(t, "ingest knows the second source", func() error {
		status, err := attacker.send(strings.NewReader(elsewhere.sized("{")))
		if err == nil && status != http.StatusUnauthorized {
			err = fmt.Errorf("answered %d", status)
		}
		return err
	})
	load := f.StartLoad(fleet.Senders{To: []string{ingest}, PerSecond: 100, Duplicates: 0.1, Seed: random.Uint64()})
	refused := 0
	repeat(t, 1, length, func() error {
		for _, request := range hostileRequests(attacker, endpoints) {
			status, err := attacker.send(strings.NewReader(request))
			if err != nil || status == http.StatusNoContent {
				return errors.Join(fmt.Errorf("answered %d", status), err)
			}
			refused++
		}
		return nil
	})
	seen := load.Stop()
	report := f.Ledger.Check(t)
	if report.Dead == 0 || api.withKey == 0 {
		t.Errorf("%d dead letters and %d calls with the key: nothing was tried", report.Dead, api.withKey)
	}
	secrets := []string{apiKey, signatureSecret, strings.TrimPrefix(f.Path, "/v1/receive/"), endpoints["development"][len("/v1/receive/"):]}
	searched := requireNoSecretKept(t, f, secrets)
	for _, role := range []string{"ingest", "processor", "dispatcher", "eventlog", "api", "replay"} {
		answer, err := rig.Request(http.MethodGet, f.Process(role).AdminURL+"/metrics", nil, nil)
		if err != nil || answer.Status != http.StatusOK {
			t.Fatalf("metrics of %s: %v %d", role, err, answer.Status)
		}
		searched += len(answer.Body)
		requireNone(t, "metrics of "+role, string(answer.Body), append(secrets, canary))
		f.Process(role).End()
	}
	requireNone(t, "the log", f.Log(), append(secrets, canary))
	t.Logf("figure: %d bytes of logs and %d of rows and metrics searched; %d refusals by ingest, %d dead letters; %s", len(f.Log()), searched, refused, report.Dead, seen)
}

// requireNoSecretKept looks into all tables, which hold what all topics do, and returns how many bytes that was.
func requireNoSecretKept(t *testing.T, f *fleet.Fleet, secrets []string) (searched int) {
	t.Helper()
	for _, table := range tables() {
		rows := f.Query("SELECT * FROM " + table + " FINAL FORMAT JSONEachRow")
		requireNone(t, "table "+table, rows, secrets)
		searched += len(rows)
	}
	for table, columns := range errorColumns() {
		requireNone(t, columns+" of "+table, f.Query("SELECT DISTINCT "+columns+" FROM "+table+" FORMAT JSONEachRow"), append(secrets, canary))
	}
	return searched
}

// requireNone expects none of the words in a text, in whatever case.
func requireNone(t *testing.T, where, text string, words []string) {
	t.Helper()
	found := 0
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.Contains(strings.ToLower(line), strings.ToLower(word)) {
				if found++; found < 3 {
					t.Errorf("%s gives %s away: %.500s", where, word, line)
				}
			}
		}
	}
	if found > 2 {
		t.Errorf("%s: %d places in all", where, found)
	}
}
