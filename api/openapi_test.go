package api_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// awaited are calls that the document has and that are not there yet.
func awaited() []string {
	return []string{}
}

func TestRoutesAndDocumentAreTheSame(t *testing.T) {
	s := newServer(t)
	var documented []string
	for _, o := range s.contract.Operations() {
		documented = append(documented, o.Method+" "+o.Path)
	}
	var routes []string
	for _, route := range s.role.Routes() {
		routes = append(routes, regexp.MustCompile(`:(\w+)`).ReplaceAllString(route, "{$1}"))
	}
	for _, route := range routes {
		if !slices.Contains(documented, route) {
			t.Errorf("%s is not in schemas/openapi.json", route)
		}
		if slices.Contains(awaited(), route) {
			t.Errorf("%s is there; take it from the list of what is awaited", route)
		}
	}
	for _, o := range documented {
		if !slices.Contains(routes, o) && !slices.Contains(awaited(), o) {
			t.Errorf("%s is in schemas/openapi.json, and no route", o)
		}
	}
}

func TestDocumentIsServedAndItsSchemasCompile(t *testing.T) {
	s := newServer(t, tokenSettings(t)...) // needs no token itself
	answer := s.send("GET", "/api/v1/openapi.json", "", nil)
	if answer.Status != http.StatusOK || string(answer.Body) != string(schemas.OpenAPI()) {
		t.Fatalf("%d %.200s", answer.Status, answer.Body)
	}
	contract, err := rig.NewContract(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := contract.CompileAll(); err != nil {
		t.Error(err)
	}
}

// TestEveryCallNeedsTheScopeInItsDocument calls everything with every token.
func TestEveryCallNeedsTheScopeInItsDocument(t *testing.T) {
	s := newServer(t, tokenSettings(t)...)
	ranks := []string{"", "read", "write", "admin"}
	tokens := []string{"", readToken, writeToken, adminToken}
	for _, o := range s.contract.Operations() {
		path := regexp.MustCompile(`{\w+}`).ReplaceAllString(o.Path, "00000000-0000-0000-0000-000000000000")
		needed := slices.Index(ranks, o.Scope)
		if slices.Contains(awaited(), o.Method+" "+o.Path) {
			continue
		}
		for rank, token := range tokens {
			answer := s.as(token).send(o.Method, path, body(o.Method), nil)
			isRefused := answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden
			if isRefused != (rank < needed) {
				t.Errorf("%s %s with the scope %q: %d, needed is %q", o.Method, o.Path, ranks[rank], answer.Status, o.Scope)
			}
			if challenge := answer.Header.Get("WWW-Authenticate"); isRefused && !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("%s %s: refused with the challenge %q", o.Method, o.Path, challenge)
			}
		}
	}
}

// body is one that is refused after the scope is found enough.
func body(method string) string {
	if method == http.MethodPost || method == http.MethodPatch {
		return `{"no_such_member":1}`
	}
	return ""
}

// TestDocumentIsHeldAgainstAnswers makes sure that the check above can fail.
func TestDocumentIsHeldAgainstAnswers(t *testing.T) {
	contract, err := rig.NewContract(schemas.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	const workflow = `{"key":"w","environment":"production","triggers":1,"active":1`
	f := func(method, path, sent string, status int, answered string, ok bool) {
		t.Helper()
		err := contract.Check(rig.Exchange{Method: method, Path: path, Sent: []byte(sent), Answer: rig.Answer{Status: status, Body: []byte(answered)}})
		if (err == nil) != ok {
			t.Errorf("%s %s %s: %d %s: %v", method, path, sent, status, answered, err)
		}
	}
	f("GET", "/api/v1/workflows", "", 200, `{"items":[`+workflow+`}],"next_cursor":null}`, true)
	f("GET", "/api/v1/workflows", "", 200, `{"items":[`+workflow+`,"more":1}],"next_cursor":null}`, false)
	f("GET", "/api/v1/workflows", "", 200, `{"items":[{}],"next_cursor":null}`, false)
	f("GET", "/api/v1/workflows", "", 200, `{"items":[]}`, false)
	f("GET", "/api/v1/workflows", "", 200, `no JSON`, false)
	f("GET", "/api/v1/workflows", "", 418, `{}`, false)
	f("GET", "/api/v1/nothing", "", 404, `{"error":{"code":"not_found","message":"no"}}`, true)
	f("GET", "/api/v1/nothing", "", 404, `not found`, false)
	f("GET", "/api/v1/nothing", "", 200, `{}`, false)
	f("GET", "/api/v1/triggers/x", "", 304, ``, true)
	f("DELETE", "/api/v1/triggers/x", "", 204, ``, true)
	f("DELETE", "/api/v1/triggers/x", "", 204, `{}`, false)
	f("POST", "/api/v1/sources", `{}`, 201, `{}`, false) // no ETag
}
