package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSourceIsManagedFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.shows([]string{"name         shop", "development  enabled  24h0m0s  no", "http://ingest.example/v1/receive/"}, "source", "create", "shop", "--description=Our shop")
	c.shows([]string{"NAME", "shop", "development,production", "Our shop"}, "source", "list")
	c.shows([]string{`"name": "shop"`}, "source", "list", "-o", "json")
	c.shows([]string{"name: shop\n"}, "source", "get", "shop", "--output=yaml")
	c.shows([]string{"production   disabled  1h0m0s   segment"}, "source", "update", "shop", "-e", "production", "--dedup-window=1h", "--disable", "--signature=segment", "--secret=env:A")
	c.shows([]string{"production   enabled  1h0m0s   no"}, "source", "update", "shop", "-e", "production", "--enable", "--signature=none")
	c.shows([]string{"curl -i 'http://ingest.example/v1/receive/", `'{"type":"track","event":"It'\''s","userId":"ada","properties":{}}'`}, "source", "curl", "shop", "--event=It's")
	c.fails([]string{"belong together"}, "source", "update", "shop", "-e", "production", "--secret=env:A")
	c.fails([]string{"--environment=NAME"}, "source", "update", "shop", "--dedup-window=1h")
	c.fails([]string{"nothing to change"}, "source", "update", "shop")
	c.fails([]string{"not found"}, "source", "get", "nobody")
	c.fails([]string{"it has one in development, production"}, "source", "curl", "shop", "staging")
}

func TestTriggerIsManagedFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	c.shows([]string{"ENVIRONMENT", "production", "big-order", "shop", "Order Completed"}, "trigger", "list", "-e", "production")
	c.shows([]string{"workflow     big-order", `"order":"data.order_id"`}, "trigger", "get", "production/big-order")
	c.shows([]string{"status       inactive"}, "trigger", "deactivate", "production/big-order")
	c.shows([]string{"status       active"}, "trigger", "activate", "production/big-order")
	c.shows([]string{"condition    data.total > 7"}, "trigger", "update", "production/big-order", "--condition=data.total > 7", `--mapping={"tenant":{"value":"x"}}`)
	c.fails([]string{"condition"}, "trigger", "update", "production/big-order", "--condition=data.")
	c.fails([]string{"not valid JSON"}, "trigger", "update", "production/big-order", "--mapping={")
	c.fails([]string{"trigger production/none: not found"}, "trigger", "get", "production/none")
	c.shows([]string{"event        Signed Up"}, "trigger", "create", "-e", "production", "--source=shop", "--event=Signed Up", "--workflow=welcome")
	c.fails([]string{"--yes"}, "trigger", "delete", "production/big-order")
	c.shows([]string{"trigger production/big-order is deleted"}, "trigger", "delete", "production/big-order", "--yes")
}

func TestEnvironmentIsManagedFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.shows([]string{"name                 staging", "https://a.example", "env:A", "unlimited"}, "env", "create", "staging", "--base-url=https://a.example", "--api-key=env:A")
	c.shows([]string{"NAME", "production", "dispatcher's settings"}, "env", "list")
	c.shows([]string{"name                 preview", "50"}, "env", "update", "staging", "--rename=preview", "--rate-limit=50")
	c.shows([]string{"kind               http", "order              strict"}, "env", "update", "preview", "--order=strict")
	c.fails([]string{"base_url is of no use with kind none"}, "env", "update", "preview", "--kind=none")
	c.shows([]string{"none, others consume the runs", "kind               none", "order              strict"}, "env", "update", "preview", "--kind=none", "--base-url=", "--api-key=")
	c.shows([]string{"KIND", "ORDER", "none  none, others consume the runs  strict", "http  dispatcher's settings          relaxed"}, "env", "list")
	c.run(80, "env", "update", "preview", "--kind=grpc")
	c.fails([]string{"Somebody else was faster"}, "env", "update", "preview", "--description=x", "--if-revision=9")
	c.shows([]string{"name: preview\n"}, "env", "get", "preview", "-o", "yaml")
	c.fails([]string{"--yes"}, "env", "delete", "preview")
	c.shows([]string{"environment preview is deleted"}, "env", "delete", "preview", "-y")
}

func TestTriggersArePromotedAndCountedByWorkflow(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	c.shows([]string{"environment  production", "status       inactive"}, "trigger", "promote", "development/audit", "--to=production")
	c.shows([]string{"KEY", "audit", "big-order"}, "workflow", "list", "-e", "production")
	before, _ := c.run(0, "source", "curl", "shop", "staging")
	c.shows([]string{"staging"}, "source", "rotate", "shop", "staging", "--grace=1h")
	if after, _ := c.run(0, "source", "curl", "shop", "staging"); after == before {
		t.Error("the key is the same")
	}
	c.fails([]string{"has triggers"}, "source", "delete", "shop", "-y")
	c.run(0, "source", "create", "spare")
	c.shows([]string{"source spare is deleted"}, "source", "delete", "spare", "-y")
}

func TestUnreachableAPIIsNamedWithWhatToDo(t *testing.T) {
	c := &cli{t: t, url: "http://127.0.0.1:1"}
	c.fails([]string{"asking the management API at http://127.0.0.1:1", "connection refused", "Is it running?", "--api-url"}, "source", "list")
	c.url = "nonsense"
	c.fails([]string{"--api-url"}, "source", "list")
}

func TestTokenIsSentAndRefusalsSayWhatToDo(t *testing.T) {
	status, code, asked := http.StatusUnauthorized, "unauthorized", http.Header{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header
		w.WriteHeader(status)
		if _, err := w.Write([]byte(`{"error":{"code":"` + code + `","message":"no: ` + code + `"}}`)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c := &cli{t: t, url: server.URL}
	c.fails([]string{"no: unauthorized", "MILLRACE_API_TOKEN", "--api-token=env:NAME"}, "env", "list")
	if asked.Get("Authorization") != "" {
		t.Error("a token was sent")
	}
	t.Setenv("MILLRACE_API_TOKEN", "first")
	t.Setenv("OTHER", "second")
	status, code = http.StatusPreconditionFailed, "stale"
	c.fails([]string{"no: stale", "Somebody else was faster"}, "env", "update", "staging", "--rate-limit=5", "--if-revision=3")
	if asked.Get("Authorization") != "Bearer first" || asked.Get("If-Match") != `"3"` {
		t.Errorf("asked with %v", asked)
	}
	status, code = http.StatusForbidden, "forbidden"
	c.fails([]string{"no: forbidden", "another token"}, "env", "list", "--api-token=env:OTHER")
	if asked.Get("Authorization") != "Bearer second" {
		t.Errorf("asked with %v", asked)
	}
	c.fails([]string{"a secret is given by reference"}, "env", "list", "--api-token=s3cret")
}

func TestPreviewSaysWhatWouldHappenAndWhy(t *testing.T) {
	var asked []byte
	answer := `{"event":null,"triggers":[{"name":"big-order","workflow":"big-order","outcome":"matched","request":{"recipients":["r1"]},"errors":[],
		"warnings":[{"field":"condition","line":1,"column":6,"message":"data.totl is not in the last 100 events","suggestion":"data.total"}],
		"last":{"events":20,"counts":{"matched":2,"condition_false":18}}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if asked, err = io.ReadAll(r.Body); err == nil {
			_, err = w.Write([]byte(answer))
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c := &cli{t: t, url: server.URL}
	c.shows([]string{
		"outcome            matched\n", `request            {"recipients":["r1"]}`, "  condition_false  18\n",
		"warning            condition: data.totl is not in the last 100 events (line 1, column 6); did you mean data.total?",
	}, "trigger", "preview", "trg_1", `--event={"type":"track"}`)
	if string(asked) != `{"event":{"type":"track"},"trigger_id":"trg_1"}` {
		t.Errorf("asked %s", asked)
	}
	c.run(0, "trigger", "preview", "trg_1", "--last=50")
	if string(asked) != `{"last":50,"trigger_id":"trg_1"}` {
		t.Errorf("asked %s", asked)
	}
}

func TestAnswerOfSomethingElseIsNamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }))
	t.Cleanup(server.Close)
	c := &cli{t: t, url: server.URL}
	c.fails([]string{"not as the management API does"}, "source", "list")
}

func TestEveryCommandOfTheCatalogHasAnExample(t *testing.T) {
	c := &cli{t: t}
	for _, line := range strings.Split(`env list|env get|env create|env update|env delete|source list|source get|source create|source update|source delete|source rotate|source curl|`+
		`trigger list|trigger get|trigger create|trigger update|trigger delete|trigger copy|trigger activate|trigger deactivate|trigger preview|`+
		`replay create|replay list|replay get|replay pause|replay resume|replay cancel|workflow list|apply|diff|validate|export|schema manifest`, "|") {
		c.shows([]string{"Example", "  millrace " + strings.Replace(line, "trigger copy", "trigger promote", 1)}, append(strings.Fields(line), "--help")...)
	}
}

func TestWrongFlagsAreRefusedWithTheirOwnStatus(t *testing.T) {
	c := &cli{t: t}
	if _, errs := c.run(80, "apply"); !strings.Contains(errs, "--file") {
		t.Errorf("%s", errs)
	}
}
