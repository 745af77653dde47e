package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// deadID is a run of the busy shop that was given up.
const deadID = "5f0c1f9e-52a7-5a53-9b0e-000000000001"

// runsViews are the pages of this part that are worth a look.
func runsViews() []view {
	busy, empty := busyShop(), emptyShop()
	return []view{
		{name: "runs", path: "/runs", knows: busy},
		{name: "runs-empty", path: "/runs?workflow=nothing", knows: empty},
		{name: "runs-refused", path: "/runs?event_id=7", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /runs"] = refusal{400, "invalid_filter", "event_id", "event_id: not a UUID"}
		}},
		{name: "run", path: "/runs/" + runID, knows: busy},
		{name: "run-dead", path: "/runs/" + deadID, knows: busy},
		{name: "run-resent", path: "/runs/" + deadID + "?done=resent&died=1772452800409", knows: busy},
		{name: "dead-letters", path: "/dead-letters?state=open&sent=12&delivered=1", knows: busy},
		{name: "dead-letters-empty", path: "/dead-letters", knows: empty},
		{name: "dead-letters-refused", path: "/dead-letters?status_code=x", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /dead-letters"] = refusal{400, "invalid_filter", "status_code", "status_code: must be a number such as 400, or 0 for no answer"}
		}},
		{name: "resend", path: "/dead-letters/resend?environment=production&workflow=order-confirmation&status_code=401&since=24h", knows: busy},
		{name: "resend-many", path: "/dead-letters/resend?environment=production&cursor=many&sent=1000", knows: busy},
		{name: "resend-where", path: "/dead-letters/resend?workflow=order-confirmation", knows: busy},
	}
}

// runsPaths are its pages, of the busy shop.
func runsPaths() []string {
	return []string{
		"/runs", "/runs/" + runID, "/runs/" + deadID, "/dead-letters",
		"/dead-letters/resend?environment=production&source=" + shopID, "/dead-letters/resend?workflow=order-confirmation",
	}
}

// knownRuns are the runs of the shop, of which each fifth was given up; none where it has had no events.
func (w world) knownRuns() []query.RunItem {
	if len(w.events) == 0 {
		return nil
	}
	statuses := []query.RunStatus{query.Dead, query.Delivered, query.Pending, query.Delivered, query.Retrying}
	first := orderCompleted(w.events[0]).Runs[0]
	runs := []query.RunItem{first}
	for i, event := range w.events[1:] {
		run := first
		run.ID, run.EventID, run.SourceID, run.Environment = fmt.Sprintf("5f0c1f9e-52a7-5a53-9b0e-%012d", i+1), event.ID, event.SourceID, event.Environment
		run.Workflow = []string{"order-confirmation", "cart-reminder", "welcome"}[i%3]
		run.Status, run.ReceivedAt, run.CreatedAt = statuses[i%5], event.ReceivedAt, event.ReceivedAt.Add(9*time.Millisecond)
		if i%4 == 2 {
			run.Recipients = []json.RawMessage{json.RawMessage(`{"id":"grace","email":"grace@example.com"}`), json.RawMessage(`"edsger"`), json.RawMessage(`"barbara"`)}
		}
		runs = append(runs, run)
	}
	return runs
}

// deadLetters are what is known about the runs that were given up.
func (w world) deadLetters() []query.DeadLetterDetail {
	reasons := []struct {
		code             int
		reason, response string
	}{
		{401, "the workflow API refuses the run: 401 Unauthorized", `{"code":"api_key_required","message":"The API key is not valid for this environment"}`},
		{422, "the workflow API refuses the run: 422 Unprocessable Entity", `{"code":"invalid_recipient","message":"recipients[0] has no email"}`},
		{0, "no answer for 20 h: dial tcp 10.0.4.7:443: connect: connection refused; the run is given up, because the workflow API forgets its idempotency key", ""},
	}
	states := []query.DeadLetterState{query.Open, query.Open, query.Resent, query.Open, query.Resolved}
	var letters []query.DeadLetterDetail
	for i, run := range w.knownRuns() {
		if run.Status != query.Dead {
			continue
		}
		n := len(letters)
		why, at := reasons[n%3], run.CreatedAt.Add(800*time.Millisecond)
		letter := query.DeadLetterDetail{Response: why.response, Request: json.RawMessage(`{"recipients":["ada"],"data":{"order":"90210"}}`)}
		letter.DeadLetterItem = query.DeadLetterItem{
			RunID: run.ID, EventID: run.EventID, Environment: run.Environment, SourceID: run.SourceID, Workflow: run.Workflow, TriggerID: run.TriggerID,
			Recipients: run.Recipients, State: states[n%5], Error: why.reason, StatusCode: why.code, Attempt: 1 + 11*(i%2), FirstAttemptedAt: at, LastAttemptedAt: at,
			ReceivedAt: run.ReceivedAt, CreatedAt: run.CreatedAt,
		}
		letter.Attempts = []query.Attempt{{RunID: run.ID, Attempt: letter.Attempt, Outcome: schemas.Dead, AttemptedAt: at, LatencyMs: 21, StatusCode: why.code, Error: why.reason, Response: why.response}}
		letters = append(letters, letter)
	}
	return letters
}

// runsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) runsAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	switch r.Method + " " + path {
	case "GET /runs":
		return 200, items(f.world.knownRuns())
	case "GET /dead-letters":
		return 200, f.deadLetters(r)
	case "POST /dead-letters/resend":
		if me.Scope == "read" {
			return no(403, "forbidden", "", "this needs a token with the scope write")
		}
		return 200, f.resend(r)
	}
	for _, run := range f.world.knownRuns() {
		if path == "/runs/"+run.ID {
			return 200, f.runDetail(run)
		}
	}
	for _, letter := range f.world.deadLetters() {
		if path == "/dead-letters/"+letter.RunID {
			return 200, letter
		}
	}
	return 0, nil
}

func (f *fakeAPI) runDetail(run query.RunItem) query.RunDetail {
	detail := query.RunDetail{RunItem: run, Attempts: []query.Attempt{}}
	for _, attempt := range orderCompleted(f.world.events[0]).Attempts {
		if attempt.RunID == run.ID {
			detail.Attempts = append(detail.Attempts, attempt)
		}
	}
	for _, letter := range f.world.deadLetters() {
		if letter.RunID == run.ID {
			detail.Attempts = letter.Attempts
		}
	}
	return detail
}

// deadLetters lists those with the state that is asked for. With the cursor many there is always another page.
func (f *fakeAPI) deadLetters(r *http.Request) any {
	found := []query.DeadLetterItem{}
	for _, letter := range f.world.deadLetters() {
		if state := r.URL.Query().Get("state"); state == "" || state == string(letter.State) {
			found = append(found, letter.DeadLetterItem)
		}
	}
	answer := items(found)
	if r.URL.Query().Get("cursor") == "many" {
		answer["items"] = slices.Repeat(found, 500/len(found)+1)[:500]
		answer["next_cursor"] = "many"
	}
	return answer
}

// resend sends what it is asked to; of those that are described the first thousand, after which there are more.
func (f *fakeAPI) resend(*http.Request) any {
	var in api.ResendRequest
	if err := json.Unmarshal([]byte(f.asked[len(f.asked)-1].body), &in); err != nil {
		f.t.Error(err)
	}
	answer := api.Resent{Delivered: []string{}, NotFound: []string{}}
	next := "many"
	switch {
	case in.RunIDs != nil:
		answer.Resent = len(in.RunIDs)
	case in.Cursor == "":
		answer.Resent, answer.NextCursor = 1000, &next
	default:
		answer.Resent, answer.Delivered, answer.NotFound = 7, []string{deadID}, []string{runID}
	}
	return answer
}
