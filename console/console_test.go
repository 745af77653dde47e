package console_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/console"
	"github.com/millrace/millrace/rig"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one goroutine for the Date header for the life of the process.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// It keeps a few that compress, too.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp/stackless.funcWorker"),
		// A stopped server's cleaner of idle workers sleeps up to 10 s before it looks whether it should end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const (
	readToken  = "read-0123456789abcdef"
	writeToken = "write-0123456789abcdef"
)

func twoTokens() map[string]api.Me {
	return map[string]api.Me{readToken: {Name: "support", Scope: "read"}, writeToken: {Name: "ci", Scope: "write"}}
}

// visit is a console as one visitor sees it: without redirects, with the cookies that they were given.
type visit struct {
	t      *testing.T
	url    string
	client *http.Client
	logged *rig.Buffer
}

// newConsole starts a console over an API.
func newConsole(t *testing.T, apiURL string) visit {
	t.Helper()
	logged := &rig.Buffer{}
	role, err := console.New(console.Config{APIURL: apiURL}, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- role.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Log(logged)
		}
	})
	v := visit{t: t, url: "http://" + listener.Addr().String(), logged: logged}
	return v.somebodyElse()
}

// somebodyElse is the console as another visitor sees it.
func (v visit) somebodyElse() visit {
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	transport := &http.Transport{}
	v.client = &http.Client{
		Transport:     transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	v.t.Cleanup(transport.CloseIdleConnections)
	return v
}

// page is an answer of the console.
type page struct {
	status int
	header http.Header
	body   string
}

func (v visit) send(method, path string, form url.Values, header http.Header) page {
	v.t.Helper()
	request, err := http.NewRequest(method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		if name == "Host" {
			request.Host = values[0]
			continue
		}
		request.Header[name] = values
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return page{response.StatusCode, response.Header, string(body)}
}

// get loads a page with all its parts, which must have this status.
func (v visit) get(path string, status int) page {
	v.t.Helper()
	loaded := v.send(http.MethodGet, path+wait(path), nil, nil)
	if loaded.status != status {
		v.t.Fatalf("GET %s: %d, want %d\n%s", path, loaded.status, status, loaded.body)
	}
	return loaded
}

// post sends a form, whose answer must have this status.
func (v visit) post(path string, form url.Values, status int) page {
	v.t.Helper()
	loaded := v.send(http.MethodPost, path, form, nil)
	if loaded.status != status {
		v.t.Fatalf("POST %s: %d, want %d\n%s", path, loaded.status, status, loaded.body)
	}
	return loaded
}

// logIn logs in with a token.
func (v visit) logIn(token string) visit {
	v.t.Helper()
	v.post("/login", url.Values{"token": {token}, "next": {"/"}}, http.StatusSeeOther)
	return v
}

// has checks what a page shows.
func (p page) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("the page has not %q:\n%s", text, p.body)
		}
	}
}

// hasNot checks what a page does not show.
func (p page) hasNot(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(p.body, text) {
			t.Errorf("the page has %q:\n%s", text, p.body)
		}
	}
}
