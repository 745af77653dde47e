package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/millrace/millrace/api"
)

// guarded is a console over an API that asks for tokens.
func guarded(t *testing.T, knows world) (*fakeAPI, visit) {
	t.Helper()
	fake := newFakeAPI(t, knows)
	fake.tokens = twoTokens()
	return fake, newConsole(t, fake.url)
}

func TestWhoHasNotLoggedInIsSentToTheLoginAndBack(t *testing.T) {
	_, v := guarded(t, busyShop())
	sent := v.send(http.MethodGet, "/logs?event=Order+Completed", nil, nil)
	if to := sent.header.Get("Location"); to != "/login?next=%2Flogs%3Fevent%3DOrder%2BCompleted" {
		t.Fatal(to)
	}
	v.get("/login?next=%2Flogs", http.StatusOK).has(t, `name="next" value="/logs"`)
	answered := v.post("/login", url.Values{"token": {" " + readToken + "\n"}, "next": {"/logs"}}, http.StatusSeeOther)
	if to := v.send(http.MethodGet, answered.header.Get("Location"), nil, nil).header.Get("Location"); to != "/logs" {
		t.Errorf("after the login: %s", to)
	}
	v.get("/logs", http.StatusOK).has(t, "support", "Log out")
}

func TestLoginLeadsToNoOtherSite(t *testing.T) {
	_, v := guarded(t, busyShop())
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "evil", "/\t/evil.example", ""} {
		answered := v.post("/login", url.Values{"token": {readToken}, "next": {next}}, http.StatusSeeOther)
		if to := answered.header.Get("Location"); to != "/login?lost=1&next=%2F" {
			t.Errorf("next=%q leads to %s", next, to)
		}
		v.post("/logout", nil, http.StatusSeeOther)
	}
}

func TestWrongTokenIsRefusedAtItsInput(t *testing.T) {
	_, v := guarded(t, busyShop())
	refused := v.post("/login", url.Values{"token": {"wrong-0123456789"}, "next": {"/logs"}}, http.StatusUnauthorized)
	refused.has(t, "The API does not know this token", `aria-invalid="true"`, `value="/logs"`)
	refused.hasNot(t, "wrong-0123456789")
	v.post("/login", nil, http.StatusUnprocessableEntity).has(t, "Give a token")
	v.get("/", http.StatusSeeOther)
}

func TestCookieHidesTheTokenAndIsShownToNobodyElse(t *testing.T) {
	_, v := guarded(t, busyShop())
	f := func(host string, wants ...string) {
		t.Helper()
		answered := v.send(http.MethodPost, "/login", url.Values{"token": {readToken}}, http.Header{"Host": {host}})
		cookie := answered.header.Get("Set-Cookie")
		for _, want := range append(wants, "HttpOnly", "SameSite=Strict", "path=/", "max-age=43200") {
			if !strings.Contains(cookie, want) {
				t.Errorf("%s: %s has no %s", host, cookie, want)
			}
		}
		if strings.Contains(cookie, readToken) || strings.Contains(strings.ToLower(cookie), "domain") {
			t.Errorf("%s: %s", host, cookie)
		}
	}
	f("console.example", "__Host-millrace=", "secure")
	f("127.0.0.1:8090", "millrace=")
	if strings.Contains(v.logged.String(), readToken) {
		t.Error("the token is in the log")
	}
}

func TestCookieThatWasChangedOrSealedElsewhereIsNone(t *testing.T) {
	fake, v := guarded(t, busyShop())
	cookie := v.send(http.MethodPost, "/login", url.Values{"token": {readToken}}, nil).header.Get("Set-Cookie")
	value, _, _ := strings.Cut(strings.TrimPrefix(cookie, "millrace="), ";")
	f := func(v visit, value string, want int) {
		t.Helper()
		loaded := v.somebodyElse().send(http.MethodGet, "/sources", nil, http.Header{"Cookie": {"millrace=" + value}})
		if loaded.status != want {
			t.Errorf("%q: %d, want %d", value, loaded.status, want)
		}
	}
	f(v, value, http.StatusOK)
	f(v, value[:len(value)-2]+"AA", http.StatusSeeOther)
	f(v, "A"+value[1:], http.StatusSeeOther)
	f(v, "", http.StatusSeeOther)
	f(v, readToken, http.StatusSeeOther)
	f(newConsole(t, fake.url), value, http.StatusSeeOther) // another console, with another key
}

func TestLoginEndsWithTheLogoutAndWithTheToken(t *testing.T) {
	fake, v := guarded(t, busyShop())
	v.logIn(readToken).get("/", http.StatusOK)
	v.post("/logout", nil, http.StatusSeeOther)
	v.get("/", http.StatusSeeOther)
	v.logIn(readToken).get("/", http.StatusOK)
	fake.change(func() { delete(fake.tokens, readToken) })
	if to := v.get("/sources", http.StatusSeeOther).header.Get("Location"); !strings.HasPrefix(to, "/login") {
		t.Error(to)
	}
}

func TestLinkFromAnotherSiteFindsTheLogin(t *testing.T) {
	_, v := guarded(t, busyShop())
	v.logIn(readToken)
	from := http.Header{"Sec-Fetch-Site": {"cross-site"}}
	// The browser shows no strict cookie then, and is told to ask again, which is the page's own request.
	bounced := v.somebodyElse().send(http.MethodGet, "/logs?event=x", nil, from)
	if bounced.status != http.StatusOK || bounced.header.Get("Refresh") != "0" {
		t.Errorf("%d %v", bounced.status, bounced.header)
	}
	v.get("/logs?event=x", http.StatusOK)
}

func TestTokenThatMayOnlyReadSeesNothingToPress(t *testing.T) {
	_, v := guarded(t, busyShop())
	v.logIn(readToken)
	for _, path := range paths() {
		if page, _, _ := strings.Cut(path, "?"); strings.HasSuffix(page, "/new") || strings.HasSuffix(page, "/edit") {
			continue // nothing leads there
		}
		loaded := v.get(path, http.StatusOK)
		if strings.Count(loaded.body, `method="post"`) != 1 || !strings.Contains(loaded.body, `action="/logout"`) {
			t.Errorf("%s has forms besides the logout:\n%s", path, loaded.body)
		}
		loaded.hasNot(t, `/new"`, `/edit"`, "/v1/receive/")
	}
	v.get("/sources/"+shopID, http.StatusOK).has(t, "may not see the URL")
	// Who presses all the same is refused by the API.
	v.post("/sources", url.Values{"name": {"x"}}, http.StatusForbidden).has(t, "needs a token with the scope write")
	v.post("/sources/"+shopID+"/delete", nil, http.StatusForbidden).has(t, "Your token does not allow this")
}

func TestApiIsAskedWithTheVisitorsToken(t *testing.T) {
	fake, v := guarded(t, busyShop())
	fake.tokens["admin-0123456789abcdef"] = api.Me{Name: "ops", Scope: "admin"}
	v.logIn(writeToken).get("/sources", http.StatusOK)
	v.somebodyElse().logIn("admin-0123456789abcdef").get("/sources", http.StatusOK)
	asked := fake.requests("GET", "/sources")
	if len(asked) != 2 || asked[0].token != writeToken || asked[1].token != "admin-0123456789abcdef" {
		t.Error(asked)
	}
}
