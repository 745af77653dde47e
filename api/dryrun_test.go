package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// found is what the dry runs of these tests find.
func found() schemas.ReplayPreview {
	return schemas.ReplayPreview{
		ReplayProgress: schemas.ReplayProgress{Done: 100, Total: 100, Read: 90, Matched: 80, Created: 70, Errors: map[string]int64{"mapping_error": 1}},
		Samples:        []schemas.ReplaySample{{EventID: "e-1", Event: "Order Completed", TriggerID: "trg_1", Workflow: "w", RunID: "r-1", Request: `{"recipients":["ada"]}`}},
		Diff:           []schemas.ReplayDiff{{TriggerID: "trg_1", NewlyMatched: 70}},
	}
}

func TestDryRunTellsHowFarItIsAndThenWhatItFound(t *testing.T) {
	s := newReplayServer(t)
	told := make(chan struct{})
	s.replays.is(func(r *replayRole) {
		r.dryRun = func(_ context.Context, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			if len(replay.Triggers) != 1 || replay.Triggers[0].Name != "big-order" || replay.Source != "app" || replay.Generation != 0 {
				t.Errorf("asked about %+v", replay)
			}
			tell(schemas.ReplayProgress{Done: 40, Total: 100})
			<-told
			return found(), nil
		}
	})
	var once bool
	client := api.NewClient(s.url, "")
	result, err := client.DryRun(t.Context(), json.RawMessage(replayBody()), func(now api.ReplayProgress) {
		if now.Percent == 40 && !once {
			once = true
			close(told)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !once || result.Created != 70 || len(result.Samples) != 1 || result.From.IsZero() || !result.From.Before(result.To) {
		t.Errorf("got %+v", result)
	}
	answer := s.send("POST", "/api/v1/replays/dry-run", replayBody(), http.Header{"Accept": {"*/*"}})
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-ndjson") || !strings.Contains(string(answer.Body), `{"result":{`) {
		t.Errorf("%v %s", answer.Header, answer.Body)
	}
}

func TestDryRunForPlainJSONIsTheResultAlone(t *testing.T) {
	s := newReplayServer(t, tokenSettings(t)...).as(readToken)
	s.replays.is(func(r *replayRole) {
		r.dryRun = func(context.Context, schemas.Replay, func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			return found(), nil
		}
	})
	asJSON := http.Header{"Accept": {"application/json"}}
	golden := s.send("POST", "/api/v1/replays/dry-run", replayBody("to", `"2026-11-21T00:00Z"`), asJSON)
	rig.Golden(t, "dry-run", golden.Body)
	if got := s.callWith(asJSON, "POST", "/api/v1/replays/dry-run", replayBody(), http.StatusOK); got["created"] != 70.0 {
		t.Errorf("got %v", got)
	}
	s.replays.is(func(r *replayRole) {
		r.dryRun = func(context.Context, schemas.Replay, func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			return schemas.ReplayPreview{}, nil
		}
	})
	s.callWith(asJSON, "POST", "/api/v1/replays/dry-run", replayBody(), http.StatusOK) // lists, not null
	s.refused("POST", "/api/v1/replays", replayBody(), http.StatusForbidden, "forbidden", "")
}

func TestFailureOfADryRunIsItsLastLine(t *testing.T) {
	s := newReplayServer(t)
	s.replays.is(func(r *replayRole) {
		r.dryRun = func(context.Context, schemas.Replay, func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			return schemas.ReplayPreview{}, errors.New("no broker")
		}
	})
	_, err := api.NewClient(s.url, "").DryRun(t.Context(), json.RawMessage(replayBody()), func(api.ReplayProgress) {})
	var refused *api.RefusedError
	if !errors.As(err, &refused) || refused.Code != "unavailable" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(s.logged.String(), "no broker") {
		t.Error("the reason is not in the log")
	}
	_, err = api.NewClient(s.url, "").DryRun(t.Context(), json.RawMessage(`{}`), func(api.ReplayProgress) {})
	if !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity || len(refused.Problems) < 3 {
		t.Errorf("got %v", err)
	}
	s.refusedWith(http.Header{"Accept": {"application/json"}}, "POST", "/api/v1/replays/dry-run", replayBody(), http.StatusServiceUnavailable, "unavailable", "")
}

// endless is a dry run that ends with its context only.
func endless(began, ended chan<- struct{}) func(context.Context, schemas.Replay, func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
	return func(ctx context.Context, _ schemas.Replay, _ func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return schemas.ReplayPreview{}, ctx.Err()
	}
}

func TestDryRunEndsWhenItsClientGoesAwayAndGivesItsPlaceFree(t *testing.T) {
	s := newReplayServer(t)
	began, ended := make(chan struct{}), make(chan struct{})
	s.replays.is(func(r *replayRole) { r.dryRun = endless(began, ended) })
	for _, accept := range []string{"application/x-ndjson", "application/json"} {
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 2)
		for range 2 {
			go func() { left <- dryRun(ctx, s.url, accept) }()
			<-began
		}
		answer := s.send("POST", "/api/v1/replays/dry-run", replayBody(), nil)
		if answer.Status != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
			t.Errorf("a third one is answered %d %v", answer.Status, answer.Header)
		}
		leave()
		for range 2 {
			<-ended
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", accept, err)
			}
		}
	}
}

func TestDryRunEndsWhenItsClientTakesNothing(t *testing.T) {
	s := newReplayServer(t)
	ended := make(chan struct{})
	s.replays.is(func(r *replayRole) {
		r.dryRun = func(ctx context.Context, _ schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			tell(schemas.ReplayProgress{Errors: map[string]int64{strings.Repeat("x", 32<<20): 1}}) // more than lies between the two
			<-ctx.Done()
			close(ended)
			return schemas.ReplayPreview{}, ctx.Err()
		}
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := replayBody()
	fmt.Fprintf(conn, "POST /api/v1/replays/dry-run HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	<-ended
}

func TestDryRunEndsWithTheAPI(t *testing.T) {
	began, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	left := make(chan error, 1)
	t.Run("serving", func(t *testing.T) {
		s := newReplayServer(t)
		s.replays.is(func(r *replayRole) { r.dryRun = endless(began, ended) })
		go func() { left <- dryRun(context.Background(), s.url, "application/x-ndjson") }()
		<-began
	})
	<-ended
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// dryRun reads the answer of a dry run to its end.
func dryRun(ctx context.Context, url, accept string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/replays/dry-run", strings.NewReader(replayBody()))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"error"`) {
			return nil
		}
	}
	return lines.Err()
}

func TestLinesAreHeldAgainstTheDocument(t *testing.T) {
	contract, err := rig.NewContract(schemas.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	f := func(body string, ok bool) {
		t.Helper()
		answer := rig.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/x-ndjson; charset=utf-8"}}, Body: []byte(body)}
		err := contract.Check(rig.Exchange{Method: "POST", Path: "/api/v1/replays/dry-run", Answer: answer})
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
	const fault = `{"error":{"code":"unavailable","message":"no"}}`
	f(fault+"\n", true)
	f(fault+"\n"+fault+"\n", true)
	f(fault+"\n"+`{"progress":{}}`+"\n", false)
	f(fault+"\n{}\n", false)
	f("no JSON\n", false)
}
