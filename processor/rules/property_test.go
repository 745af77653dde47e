package rules_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// realistic are triggers as people write them for the sample events, by the name of the event.
func realistic() map[string]schemas.Trigger {
	mapping := func(recipients string, data map[string]string) schemas.Mapping {
		m := schemas.Mapping{Recipients: json.RawMessage(recipients), Data: map[string]json.RawMessage{}}
		for key, entry := range data {
			m.Data[key] = json.RawMessage(entry)
		}
		return m
	}
	return map[string]schemas.Trigger{
		"Order Completed": {
			Condition: `data.total > 100 && data.currency in ["EUR", "USD"]`,
			Mapping: mapping(`"data.recipientId"`, map[string]string{
				"first_sku": `"data.products.0.sku"`, "total": `"data.total"`,
				"label": `{"expr": "string(len(data.products)) + \" items in \" + data.currency"}`,
			}),
		},
		"Comment Created": {Mapping: mapping(`"data.watchers"`, map[string]string{"text": `"data.text"`, "by": `"data.commenter"`})},
		"Task Assigned":   {Condition: `data.assigned_to != data.assigned_by`, Mapping: mapping(`"data.assigned_to"`, nil)},
		"Invoice Overdue": {Condition: `data.days_overdue >= 30 || data.account.tier == "gold"`, Mapping: mapping(`"data.owner"`, nil)},
		"Payment Failed":  {Condition: `data.attempt >= 2 && data.amount_cents / 100 > 10`, Mapping: mapping(`{"expr": "user_id ?? anonymous_id"}`, nil)},
		"Signed Up":       {Condition: `data.referrer startsWith "http" && timestamp.Hour() < 24`, Mapping: mapping(`null`, nil)},
	}
}

func TestSampleEventsThroughRealisticTriggers(t *testing.T) {
	outcomes := map[string]map[schemas.Outcome]int{}
	for _, sample := range samples(t) {
		trigger, found := realistic()[sample.meta.Event]
		if !found {
			continue
		}
		result := compiled(t, trigger).Evaluate(sample.event())
		if outcomes[sample.meta.Event] == nil {
			outcomes[sample.meta.Event] = map[schemas.Outcome]int{}
		}
		outcomes[sample.meta.Event][result.Outcome]++
		checkSampleResult(t, sample, result)
	}
	t.Log(outcomes)
}

// checkSampleResult accepts what the sample events really lack, and no other failure.
func checkSampleResult(t *testing.T, sample sample, result rules.Result) {
	t.Helper()
	switch result.Outcome {
	case schemas.Matched:
		var request schemas.RunRequest
		if err := json.Unmarshal(result.Request, &request); err != nil || len(request.Recipients) == 0 || result.RecipientKey == "" {
			t.Errorf("%s: %v: %s", sample.body, err, result.Request)
		}
	case schemas.MappingError:
		isEmptyList := bytes.Contains(sample.body, []byte(`"watchers":[]`))
		isAnonymous := !bytes.Contains(sample.body, []byte(`"userId"`))
		if !isEmptyList && !isAnonymous || !strings.Contains(result.Reason, "a run needs at least one recipient") {
			t.Errorf("%s: %s", sample.body, result.Reason)
		}
	case schemas.ConditionError:
		t.Errorf("%s: %s", sample.body, result.Reason)
	case schemas.ConditionFalse, schemas.Inactive:
	}
}

func TestEvaluatingTwiceGivesIdenticalBytes(t *testing.T) {
	all := samples(t)
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SampledFrom(all).Draw(t, "sample")
		trigger := schemas.Trigger{
			Status:    schemas.TriggerActive,
			Condition: rapid.SampledFrom([]string{``, `data.total > 100`, `"sku" in data`, `data.x == data`}).Draw(t, "condition"),
			Mapping: schemas.Mapping{
				Recipients: json.RawMessage(`{"value":[{"id":"u"}]}`),
				Data:       rapid.MapOf(rapid.String(), rapid.SampledFrom(entries())).Draw(t, "data"),
			},
		}
		first, second := evaluateOnce(t, trigger, sample), evaluateOnce(t, trigger, sample)
		if first.Outcome != second.Outcome || first.Reason != second.Reason || !bytes.Equal(first.Request, second.Request) {
			t.Fatalf("got %s %q %s, then %s %q %s", first.Outcome, first.Reason, first.Request, second.Outcome, second.Reason, second.Request)
		}
		if first.Outcome == schemas.Matched && (!json.Valid(first.Request) || !utf8.Valid(first.Request)) {
			t.Fatalf("not JSON in UTF-8: %s", first.Request)
		}
	})
}

func entries() []json.RawMessage {
	return []json.RawMessage{
		json.RawMessage(`"raw"`), json.RawMessage(`"data.total"`), json.RawMessage(`"context.page.url"`), json.RawMessage(`"timestamp"`),
		json.RawMessage(`{"expr":"data"}`), json.RawMessage(`{"expr":"{z: data.total, a: data.text, m: {y: 1, b: context}}"}`),
		json.RawMessage(`{"expr":"max(data.price, data.total, 3)"}`), json.RawMessage(`{"value":{"b":1,"a":2}}`),
	}
}

func evaluateOnce(t *rapid.T, trigger schemas.Trigger, sample sample) rules.Result {
	compiled, err := rules.Compile(trigger)
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Evaluate(sample.event())
}
