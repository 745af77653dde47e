package dispatcher_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

func TestRunIsDeliveredOnceWithItsOwnBytesAndKey(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.destination.BaseURL += "/"
	run := newRun("r1")
	run.Workflow = "welcome/émail ?"
	p.write(0, "k", run)
	stop := p.run(quick())

	got := p.deliveries(1)["r1"][0]
	p.waitCommitted(0, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got.Outcome != schemas.Delivered || got.Attempt != 1 || got.StatusCode != http.StatusOK || got.WorkflowRunID != "wf-1" ||
		got.EventID != "event-r1" || got.Workflow != run.Workflow || got.Environment != "production" ||
		got.Error != "" || got.Response != "" || got.LatencyMs <= 0 || got.AttemptedAt.IsZero() {
		t.Errorf("delivery is %+v", got)
	}
	calls := p.api.calls("")
	if len(calls) != 1 {
		t.Fatalf("%d calls, want 1", len(calls))
	}
	c := calls[0]
	if c.path != "/v1/workflows/welcome%2F%C3%A9mail%20%3F/trigger" || c.body != string(run.Request) || c.key != "r1" {
		t.Errorf("path %s, key %s, body %s", c.path, c.key, c.body)
	}
	if c.header.Get("Authorization") != "Bearer sk_canary" || c.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", c.header)
	}
	p.requireNoSecrets()
}

func TestRunWithoutAPIKeyIsSentWithoutAuthorization(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return reply{status: 202, body: "not JSON"} })
	p.destination.APIKey = ""
	p.write(0, "k", newRun("r1"))
	p.run(quick())
	if got := p.deliveries(1)["r1"][0]; got.Outcome != schemas.Delivered || got.WorkflowRunID != "" {
		t.Errorf("delivery is %+v", got)
	}
	if header := p.api.calls("r1")[0].header; header.Values("Authorization") != nil {
		t.Errorf("headers are %v", header)
	}
}

func TestEveryAnswerThatSaysNotNowIsTriedAgain(t *testing.T) {
	statuses := []int{408, 425, 429, 500, 502, 503, 504, 599}
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth <= len(statuses) {
			return reply{status: statuses[c.nth-1], body: "busy"}
		}
		return ok()
	})
	run := newRun("r1")
	p.write(0, "k", run)
	p.run(quick())
	got := p.deliveries(len(statuses) + 1)["r1"]
	for i, status := range statuses {
		if got[i].Outcome != schemas.Retrying || got[i].StatusCode != status || got[i].Attempt != i+1 || got[i].Response != "busy" || got[i].Error == "" {
			t.Errorf("attempt %d is %+v", i+1, got[i])
		}
	}
	if last := got[len(statuses)]; last.Outcome != schemas.Delivered || last.Attempt != len(statuses)+1 {
		t.Errorf("last attempt is %+v", last)
	}
	for _, c := range p.api.calls("r1") {
		if c.body != string(run.Request) {
			t.Errorf("attempt %d sent %s", c.nth, c.body)
		}
	}
	p.waitCommitted(0, 1)
}

func TestRefusedRunIsADeadLetterAtOnceWithTheAnswer(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		switch c.key {
		case "moved":
			return reply{status: 308, header: map[string]string{"Location": "/elsewhere"}}
		case "long":
			return reply{status: 422, body: strings.Repeat("x", 100_000)}
		}
		return reply{status: 400, body: `{"message":"no such workflow"}`}
	})
	run := newRun("bad")
	p.write(0, "a", run)
	p.write(0, "b", newRun("moved"))
	p.write(0, "c", newRun("long"))
	p.run(quick())
	dead := map[string]schemas.DeadLetter{}
	for _, letter := range readTopic[schemas.DeadLetter](p, schemas.DeadRunsTopic, 3) {
		dead[letter.Run.RunID] = letter
	}
	bad := dead["bad"]
	if string(bad.Run.Request) != string(run.Request) || bad.Last.StatusCode != http.StatusBadRequest || bad.Last.Outcome != schemas.Dead ||
		bad.Last.Response != `{"message":"no such workflow"}` || !strings.Contains(bad.Last.Error, "400") {
		t.Errorf("dead letter is %+v", bad)
	}
	if last := dead["moved"].Last; last.StatusCode != http.StatusPermanentRedirect || !strings.Contains(last.Error, "redirect") {
		t.Errorf("dead letter of a redirect is %+v", last)
	}
	if last := dead["long"].Last; len(last.Response) != 4096 {
		t.Errorf("dead letter keeps %d bytes of the answer", len(last.Response))
	}
	if n := len(p.api.calls("")); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
	for run, deliveries := range p.deliveries(3) {
		if len(deliveries) != 1 || deliveries[0].Outcome != schemas.Dead {
			t.Errorf("%s: deliveries %+v", run, deliveries)
		}
	}
	p.waitCommitted(0, 3)
	p.requireNoSecrets()
}

func TestAPIKeyThatAnAnswerTellsIsNotKept(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply {
		return reply{status: 400, body: `{"message":"no access","sent":"Bearer sk_canary"}`}
	})
	p.write(0, "a", newRun("run"))
	p.run(quick())
	letter := readTopic[schemas.DeadLetter](p, schemas.DeadRunsTopic, 1)[0]
	if letter.Last.Response != `{"message":"no access","sent":"Bearer [API key]"}` {
		t.Errorf("the dead letter keeps %s", letter.Last.Response)
	}
	for _, deliveries := range p.deliveries(1) {
		if deliveries[0].Response != letter.Last.Response {
			t.Errorf("the delivery keeps %s", deliveries[0].Response)
		}
	}
}

func TestRetryAfterIsHonouredInSecondsAndDates(t *testing.T) {
	until := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
	p := newPipeline(t, 1, func(c call) reply {
		switch {
		case c.nth > 1:
			return ok()
		case c.key == "seconds":
			return reply{status: 429, header: map[string]string{"Retry-After": "1"}}
		}
		return reply{status: 503, header: map[string]string{"Retry-After": until.Format(http.TimeFormat)}}
	})
	p.write(0, "a", newRun("seconds"))
	p.write(0, "b", newRun("date"))
	p.run(quick())
	p.deliveries(4)
	seconds := p.api.calls("seconds")
	if waited := seconds[1].at.Sub(seconds[0].at); waited < time.Second || waited > 2*time.Second {
		t.Errorf("waited %s, asked for 1s", waited)
	}
	if again := p.api.calls("date")[1].at; again.Before(until) || again.After(until.Add(time.Second)) {
		t.Errorf("tried again at %s, asked for %s", again, until)
	}
}

func TestTimedOutCallIsTriedAgainWithTheSameKeyAndBytes(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth == 1 {
			<-c.gone // the API works on it for longer than we wait
		}
		return ok()
	})
	config := quick()
	config.Timeout = 50 * time.Millisecond
	run := newRun("r1")
	p.write(0, "k", run)
	p.run(config)
	got := p.deliveries(2)["r1"]
	if got[0].Outcome != schemas.Retrying || got[0].StatusCode != 0 || !strings.Contains(got[0].Error, "50ms") || got[1].Outcome != schemas.Delivered {
		t.Errorf("deliveries are %+v", got)
	}
	calls := p.api.calls("r1")
	if len(calls) != 2 || calls[0].body != string(run.Request) || calls[1].body != calls[0].body {
		t.Errorf("calls are %+v", calls)
	}
}

func TestUnreachableOrUnsetAPIKeepsTheRunTryingAndSaysWhy(t *testing.T) {
	f := func(environment string, destination dispatcher.Destination, want string) {
		t.Helper()
		p := newPipeline(t, 1, func(call) reply { return ok() })
		p.destination = destination
		run := newRun("r1")
		run.Environment = environment
		p.write(0, "k", run)
		stop := p.run(quick())
		for i, delivery := range p.deliveries(3)["r1"][:3] {
			if delivery.Outcome != schemas.Retrying || delivery.Attempt != i+1 || !strings.Contains(delivery.Error, want) {
				t.Errorf("attempt %d is %+v", i+1, delivery)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if p.committed()[0] > 0 {
			t.Error("an unfinished run was committed")
		}
		if log := p.log.String(); strings.Count(log, "runs are waiting") != 1 || !strings.Contains(log, want) || strings.Contains(log, "pass") {
			t.Errorf("log:\n%s", log)
		}
	}
	f("production", dispatcher.Destination{BaseURL: "http://127.0.0.1:1"}, "connection refused")
	f("production", dispatcher.Destination{BaseURL: ""}, "set its base URL")
	f("unknown", dispatcher.Destination{BaseURL: "http://127.0.0.1:1"}, "set its base URL")
	f("production", dispatcher.Destination{BaseURL: "http://user:pass@%zz"}, "https://host")
	f("production", dispatcher.Destination{BaseURL: "localhost"}, "https://host")
	f("production", dispatcher.Destination{BaseURL: "http://user:pass@127.0.0.1:1"}, "connection refused")
}

func TestRunThatIsTooOldIsADeadLetter(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return reply{status: 503, header: map[string]string{"Retry-After": "3600"}} })
	old, ageing := newRun("old"), newRun("ageing")
	old.CreatedAt = time.Now().Add(-20 * time.Hour)
	ageing.CreatedAt = time.Now().Add(-19*time.Hour - 30*time.Minute)
	p.write(0, "a", old)
	p.write(0, "b", ageing)
	p.run(quick())
	dead := map[string]schemas.DeadLetter{}
	for _, letter := range readTopic[schemas.DeadLetter](p, schemas.DeadRunsTopic, 2) {
		dead[letter.Run.RunID] = letter
	}
	if last := dead["old"].Last; last.Outcome != schemas.Dead || last.StatusCode != 0 || !strings.Contains(last.Error, "not tried") {
		t.Errorf("last delivery of the old run is %+v", last)
	}
	if last := dead["ageing"].Last; last.Outcome != schemas.Dead || last.StatusCode != http.StatusServiceUnavailable || !strings.Contains(last.Error, "given up") {
		t.Errorf("last delivery of the ageing run is %+v", last)
	}
	if len(p.api.calls("old")) != 0 || len(p.api.calls("ageing")) != 1 {
		t.Errorf("calls are %+v", p.api.calls(""))
	}
	p.waitCommitted(0, 2)
}

func TestRecordThatIsNoRunDoesNotStopThePartition(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.writeBytes(0, "k", []byte(`{"schema":1,"run_`))
	p.writeBytes(0, "k", []byte(`{"schema":0,"run_id":"r0"}`))
	p.writeBytes(0, "k", []byte(`{"schema":1}`))
	p.writeBytes(0, "k", nil)
	p.write(0, "k", newRun("r1"))
	p.run(quick())
	p.deliveries(1)
	p.waitCommitted(0, 5)
	log := p.log.String()
	if strings.Count(log, "is not a run") != 4 || !strings.Contains(log, "topic="+p.kafka.Topic(schemas.RunsTopic)+" partition=0 offset=1") {
		t.Errorf("log:\n%s", log)
	}
	if len(p.api.calls("")) != 1 {
		t.Errorf("calls are %+v", p.api.calls(""))
	}
}
