package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

func TestSearchAmongDeadLettersIsTheAddressOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	search := url.Values{
		"source": {shopID}, "environment": {"production"}, "workflow": {"welcome"}, "state": {"resent"}, "status_code": {"0"}, "text": {"timeout"},
		"since": {"1h"}, "until": {"5m"},
	}
	loaded := v.get("/dead-letters?"+search.Encode(), http.StatusOK)
	loaded.has(t, `value="timeout"`, `<option value="resent" selected>`, `href="/dead-letters/resend?environment=production&amp;`)
	asked, _ := url.ParseQuery(fake.requests("GET", "/dead-letters")[0].query)
	search.Set("limit", "50")
	if asked.Encode() != search.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), search.Encode())
	}
	fake.change(func() {
		fake.refuse["GET /dead-letters"] = refusal{400, "invalid_filter", "status_code", "status_code: must be a number"}
	})
	v.get("/dead-letters?status_code=x", http.StatusBadRequest).has(t, `id="status_code-error"`, `value="x"`)
}

func TestDeadLettersAreListedWithWhatCanBeSentAgain(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url)
	writer := v.somebodyElse().logIn(writeToken)
	loaded := writer.get("/dead-letters", http.StatusOK)
	loaded.has(t, `name="run_ids" value="`+deadID+`"`, "401 Unauthorized", `href="/runs/`+deadID+`"`, `<span class="badge good">delivered</span>`)
	letters := busyShop().deadLetters()
	for _, letter := range letters {
		if letter.State == query.Resolved {
			loaded.hasNot(t, `value="`+letter.RunID+`"`)
		}
	}
	reader := v.somebodyElse().logIn(readToken)
	reader.get("/dead-letters", http.StatusOK).hasNot(t, "run_ids", "Send")
	reader.get("/runs/"+deadID, http.StatusOK).hasNot(t, "Send again")
	reader.get("/dead-letters/resend?environment=production", http.StatusOK).has(t, "Your token may only read")
	reader.post("/runs/"+deadID+"/resend", nil, http.StatusForbidden)
	reader.post("/dead-letters", url.Values{"run_ids": {deadID}}, http.StatusForbidden)
	reader.post("/dead-letters/resend", url.Values{"environment": {"production"}}, http.StatusForbidden)
}

func TestRunIsSentAgainFromItsPage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	form := hiddenOf(v.get("/runs/"+deadID, http.StatusOK).body)
	to := v.post("/runs/"+deadID+"/resend", form, http.StatusSeeOther).header.Get("Location")
	sentAgain := v.get(to, http.StatusOK)
	sentAgain.has(t, "The run is sent again", "has not been tried yet", `data-refresh="2"`)
	sentAgain.hasNot(t, ">Send again<")
	if sent := resends(t, fake); len(sent) != 1 || len(sent[0].RunIDs) != 1 || sent[0].RunIDs[0] != deadID {
		t.Errorf("%+v", sent)
	}
	fake.change(func() { // it was tried, and died again
		for i := range fake.world.events {
			fake.world.events[i].ReceivedAt = fake.world.events[i].ReceivedAt.Add(time.Second)
		}
	})
	diedAgain := v.get(to, http.StatusOK)
	diedAgain.has(t, ">Send again<")
	diedAgain.hasNot(t, "has not been tried yet", `data-refresh="2"`)
	fake.change(func() {
		fake.refuse["POST /dead-letters/resend"] = refusal{503, "unavailable", "", "kafka did not acknowledge; to ask once more does no harm"}
	})
	v.post("/runs/"+deadID+"/resend", nil, http.StatusServiceUnavailable).has(t, `role="alert">Kafka did not acknowledge`, "Send again")
}

func TestChosenRunsAreSentAgainAndThePageSaysWhatBecameOfThem(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.post("/dead-letters?state=open", nil, http.StatusUnprocessableEntity).has(t, "Nothing is chosen", `<option value="open" selected>`)
	letters := busyShop().deadLetters()
	chosen := url.Values{"run_ids": {letters[0].RunID, letters[1].RunID}}
	to := v.post("/dead-letters?state=open&cursor=many", chosen, http.StatusSeeOther).header.Get("Location")
	if !strings.HasPrefix(to, "/dead-letters?") || !strings.Contains(to, "cursor=many") || !strings.Contains(to, "state=open") {
		t.Errorf("leads to %s, not to where it was", to)
	}
	v.get(to, http.StatusOK).has(t, "2 runs were sent again")
	if sent := resends(t, fake); len(sent) != 1 || strings.Join(sent[0].RunIDs, " ") != strings.Join(chosen["run_ids"], " ") {
		t.Errorf("%+v", sent)
	}
}

func TestAllThatMatchAreSentAgainInStepsAfterAQuestion(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/dead-letters/resend?workflow=welcome", http.StatusOK).has(t, "Choose which", `<option value="production">`, `name="workflow" value="welcome"`)
	asks := v.get("/dead-letters/resend?environment=production&workflow=welcome&status_code=401&since=24h", http.StatusOK)
	asks.has(t, "Send 6 runs again", "<strong>production</strong>", "welcome", "401", "24h")
	if len(resends(t, fake)) > 0 {
		t.Error("something was sent before the answer")
	}
	form := hiddenOf(asks.body)
	until, err := time.Parse(time.RFC3339, form.Get("until"))
	if err != nil || time.Since(until) > time.Minute || form.Get("state") != "open" {
		t.Errorf("what comes after the question would be sent, too: %v", form)
	}

	to := v.post("/dead-letters/resend", form, http.StatusSeeOther).header.Get("Location")
	more := v.get(to, http.StatusOK)
	more.has(t, "1,000 runs were sent again", "Send the newest 1,000 of them again?", "There are more than 1,000")
	form = hiddenOf(more.body)
	to = v.post("/dead-letters/resend", form, http.StatusSeeOther).header.Get("Location")
	v.get(to, http.StatusOK).has(t, "1,007 runs were sent again", "1 run has been delivered meanwhile and was not sent", "1 run has no dead letter any more", `value="welcome"`)
	sent := resends(t, fake)
	if len(sent) != 2 || sent[1].Cursor != "many" || sent[0].Until != sent[1].Until {
		t.Fatalf("%+v", sent)
	}
	if first := sent[0]; first.Environment != "production" || first.Workflow != "welcome" || *first.StatusCode != 401 || first.Since != "24h" || first.State != query.Open || first.RunIDs != nil {
		t.Errorf("%+v", first)
	}
	if strings.Contains(to, "until") {
		t.Errorf("the list has a time that nobody asked for: %s", to)
	}
}

// hiddenOf reads what a page's form posts without being typed.
func hiddenOf(body string) url.Values {
	form := url.Values{}
	for _, input := range strings.Split(body, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(input, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		form.Add(name, value)
	}
	return form
}

func TestQuestionSaysWhenThereIsNothingToSendOrThatItFailed(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/dead-letters/resend?environment=production&state=delivered", http.StatusOK).has(t, "What was delivered is not sent again")
	fake.change(func() {
		fake.refuse["POST /dead-letters/resend"] = refusal{404, "not_found", "source", "source \"x\": not found"}
	})
	v.post("/dead-letters/resend", url.Values{"environment": {"production"}, "source": {"x"}}, http.StatusNotFound)
	fake.change(func() {
		fake.refuse["POST /dead-letters/resend"] = refusal{503, "unavailable", "", "some may have been sent; to ask once more does no harm"}
	})
	v.post("/dead-letters/resend", url.Values{"environment": {"production"}, "sent": {"1000"}}, http.StatusServiceUnavailable).
		has(t, `role="alert">Some may have been sent`, "1,000 runs were sent again", "Send 6 runs again")
	fake.change(func() { fake.world = emptyShop() })
	v.get("/dead-letters/resend?environment=production", http.StatusOK).has(t, "Nothing is left to send")
}

func TestCountsOfFailedDeliveriesLeadToTheDeadLetters(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	v.get("/?since=24h", http.StatusOK).has(t, `<a href="/dead-letters?since=24h">2 runs given up</a>`, `<a href="/dead-letters?since=24h&amp;workflow=order-confirmation">2</a>`)
}
