package console_test

import (
	"compress/gzip"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// paths are the pages that there are, of the busy shop.
func paths() []string {
	return slices.Concat(
		[]string{"/", "/?since=24h", "/sources", "/sources/new", "/sources/" + shopID, "/logs", "/refused", "/events/" + eventID},
		triggersPaths(), editorPaths(), runsPaths(), replaysPaths(), analyticsPaths(), settingsPaths(),
	)
}

func TestEveryAnswerTellsBrowsersWhatNotToDo(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	for _, path := range append(paths(), "/login", "/nowhere", "/events/"+eventID+"/body") {
		header := v.send(http.MethodGet, path, nil, nil).header
		f := func(name, want string) {
			t.Helper()
			if got := header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q in it", path, name, got, want)
			}
		}
		f("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'")
		f("Content-Security-Policy", "frame-ancestors 'none'")
		f("X-Content-Type-Options", "nosniff")
		f("X-Frame-Options", "DENY")
		f("Referrer-Policy", "same-origin")
		f("Cross-Origin-Opener-Policy", "same-origin")
		if strings.Contains(header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %s", path, header.Get("Content-Security-Policy"))
		}
		if header.Get("Cache-Control") != "no-store" && path != "/login" {
			t.Errorf("%s: may be kept: %q", path, header.Get("Cache-Control"))
		}
	}
}

func TestNoPageHasScriptsOrStylesInIt(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	forbidden := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|https?://[^e]`)
	for _, path := range paths() {
		body := v.get(path, http.StatusOK).body
		body = strings.ReplaceAll(body, `xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"`, "")
		if found := forbidden.FindString(body); found != "" {
			t.Errorf("%s has %q", path, found)
		}
	}
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(header http.Header, want int) {
		t.Helper()
		for _, path := range []string{"/sources", "/sources/" + shopID + "/delete", "/sources/" + shopID + "/endpoints/production/rotate", "/login", "/logout"} {
			answered := v.send(http.MethodPost, path, url.Values{"name": {"evil"}, "grace": {"0s"}, "token": {"x"}}, header)
			if (answered.status == http.StatusForbidden) != (want == http.StatusForbidden) {
				t.Errorf("POST %s with %v: %d", path, header, answered.status)
			}
		}
	}
	f(http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, http.StatusForbidden)
	f(http.Header{"Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden)
	f(http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden)
	f(http.Header{"Origin": {"null"}}, http.StatusForbidden)
	f(http.Header{"Origin": {"https://evil.example"}, "X-Forwarded-Host": {"evil.example"}}, http.StatusForbidden)
	rebound := http.Header{"Host": {"evil.example"}, "Origin": {"http://evil.example"}} // a name of theirs that leads here
	if answered := v.send(http.MethodPost, "/sources", url.Values{"name": {"evil"}}, rebound); answered.status != http.StatusForbidden {
		t.Errorf("%d for a rebound name", answered.status)
	}
	for _, call := range []string{"POST /sources", "DELETE /sources/" + shopID} {
		method, path, _ := strings.Cut(call, " ")
		if len(fake.requests(method, path)) > 0 {
			t.Errorf("%s was called", call)
		}
	}
	f(http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {v.url}}, http.StatusSeeOther)
	if len(fake.requests("POST", "/sources")) != 1 {
		t.Error("the console's own form was refused")
	}
}

func TestWithoutTokensOnlyThisMachineIsServed(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	for _, path := range paths() {
		loaded := v.send(http.MethodGet, path, nil, http.Header{"Host": {"console.example"}})
		if loaded.status != http.StatusForbidden {
			t.Errorf("%s: %d for a name that leads here", path, loaded.status)
		}
		loaded.hasNot(t, "shop", "src_")
	}
	// A token of one's own does not help: the API would take it for this machine.
	loaded := v.send(http.MethodPost, "/login", url.Values{"token": {"anything-at-all-will-do"}}, http.Header{"Host": {"console.example"}})
	if loaded.status != http.StatusForbidden || loaded.header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", loaded.status, loaded.header)
	}
}

// TestWhatComesFromEventsIsNeverMarkup has the API answer with a script in every text there is.
func TestWhatComesFromEventsIsNeverMarkup(t *testing.T) {
	const script = `"'></script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>`
	fake := newFakeAPI(t, busyShop())
	fake.spoil = func(answer map[string]any) { spoil(answer, script) }
	v := newConsole(t, fake.url)
	for _, path := range paths() {
		loaded := v.get(path, http.StatusOK)
		loaded.hasNot(t, "<script>window", "<img src=x", `"'>`)
		if !strings.HasSuffix(path, "/new") && path != "/settings/tokens" { // where nothing is of the API
			loaded.has(t, "&lt;script&gt;window.hacked=1")
		}
	}
	hostile := url.QueryEscape(script)
	for _, path := range []string{"/logs?q=" + hostile + "&where=" + hostile + "&event=" + hostile, "/refused?code=" + hostile, "/login?next=/" + hostile, "/nowhere/" + url.PathEscape(script), "/sources/" + url.PathEscape(script)} {
		v.send(http.MethodGet, path, nil, nil).hasNot(t, "<script>window", "<img src=x", `"'>`)
	}
}

// spoil puts text in place of every text but those that must be times, IDs or choices for the answer to be read at all.
func spoil(node any, text string) {
	keep := map[string]bool{
		"id": true, "source_id": true, "interval": true, "step": true, "dedup_window": true, "scope": true, "run_id": true,
		"next_cursor": true, "trigger_id": true, "kind": true, "order": true, "key": true,
	}
	isTime := regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)
	switch node := node.(type) {
	case map[string]any:
		for name, value := range node {
			if old, isText := value.(string); isText && !keep[name] && !isTime.MatchString(old) {
				node[name] = old + text
				continue
			}
			spoil(value, text)
		}
	case []any:
		for i, value := range node {
			if old, isText := value.(string); isText && !isTime.MatchString(old) {
				node[i] = old + text
				continue
			}
			spoil(value, text)
		}
	}
}

func TestDownloadedBodyIsNoPage(t *testing.T) {
	world := busyShop()
	world.detail.Body = `{"note":"<script>alert(1)</script>"}`
	v := newConsole(t, newFakeAPI(t, world).url)
	loaded := v.get("/events/"+eventID+"/body", http.StatusOK)
	if loaded.body != world.detail.Body {
		t.Errorf("not as it was posted: %s", loaded.body)
	}
	if loaded.header.Get("Content-Type") != "application/json; charset=utf-8" || !strings.HasPrefix(loaded.header.Get("Content-Disposition"), "attachment;") {
		t.Error(loaded.header)
	}
}

func TestEveryPageIsSmallOnTheWire(t *testing.T) {
	const limit = 100 << 10
	world := busyShop()
	noise := make([]byte, 300<<10) // compresses as badly as a text can
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	world.detail.Body = `{"note":"` + base64.StdEncoding.EncodeToString(noise) + `"}`
	v := newConsole(t, newFakeAPI(t, world).url)
	for _, path := range paths() {
		total := sizeOf(t, v.url+path+wait(path))
		for _, asset := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(v.get(path, http.StatusOK).body, -1) {
			total += sizeOf(t, v.url+asset[1])
		}
		for _, module := range []string{"choose.js", "copy.js", "dryrun.js", "editor.js", "live.js", "pick.js", "preview.js", "refresh.js", "suggest.js", "time.js"} {
			total += sizeOf(t, v.url+"/static/any/"+module)
		}
		t.Logf("%s: %d bytes with all that it loads", path, total)
		if total > limit {
			t.Errorf("%s: %d bytes are transferred, want at most %d", path, total, limit)
		}
	}
}

// wait is what has a page wait for all its parts.
func wait(path string) string {
	if strings.Contains(path, "?") {
		return "&wait=1"
	}
	return "?wait=1"
}

// sizeOf returns how many bytes an answer has on the wire.
func sizeOf(t *testing.T, address string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	sent, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(address, response.Status, err)
	}
	if response.Header.Get("Content-Encoding") == "gzip" {
		if _, err := gzip.NewReader(strings.NewReader(string(sent))); err != nil {
			t.Fatal(err)
		}
	}
	return len(sent)
}

func TestStaticFilesAreKeptByTheirVersion(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, emptyShop()).url)
	address := regexp.MustCompile(`/static/[0-9a-f]+/console.css`).FindString(v.get("/login", http.StatusOK).body)
	if kept := v.get(address, http.StatusOK).header.Get("Cache-Control"); !strings.Contains(kept, "immutable") {
		t.Errorf("%s: %q", address, kept)
	}
	if kept := v.get("/static/older/console.css", http.StatusOK).header.Get("Cache-Control"); kept != "no-cache" {
		t.Errorf("another version: %q", kept)
	}
	v.get("/static/any/nothing.js", http.StatusNotFound)
	v.get("/static/any/..%2fconsole.go", http.StatusNotFound)
}
