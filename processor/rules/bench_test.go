package rules_test

import (
	"encoding/json"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// tenTriggers are ten conditions of which two hold for most of the sample events.
func tenTriggers(t testing.TB) []*rules.Trigger {
	t.Helper()
	conditions := []string{
		`context.locale != nil && environment == "production"`,
		`data.total > 50 || data.amount > 0 || data.price >= 0 || data.attempt > 0 || timestamp < received_at`,
		`data.total > 1000000 && data.currency == "EUR"`,
		`event == "Nobody Sends This"`,
		`data.shipping.country == "ZZ"`,
		`data.plan in ["enterprise", "galactic"]`,
		`data.reason contains "no such reason"`,
		`any(data.watchers, .id == "user-none")`,
		`data.days_overdue > 10000 && data.account.tier == "gold"`,
		`user_id == "user-none" || data.recipientId == "user-none"`,
	}
	var triggers []*rules.Trigger
	for _, condition := range conditions {
		triggers = append(triggers, compiled(t, schemas.Trigger{Condition: condition, Mapping: schemas.Mapping{
			Recipients: json.RawMessage(`{"value": "user-1"}`),
			Data:       map[string]json.RawMessage{"properties": json.RawMessage(`"data"`), "url": json.RawMessage(`"context.page.url"`)},
		}}))
	}
	return triggers
}

// BenchmarkTenTriggers asks ten triggers about each sample event. An operation is one event.
func BenchmarkTenTriggers(b *testing.B) {
	triggers, events := tenTriggers(b), samples(b)
	event := events[0].event()
	matched, n := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		sample := events[n%len(events)]
		event.Reset(sample.meta, sample.body, "webshop")
		for _, trigger := range triggers {
			if trigger.Evaluate(event).Outcome == schemas.Matched {
				matched++
			}
		}
		n++
	}
	b.ReportMetric(float64(matched)/float64(n), "matched/op")
}

// BenchmarkCompile compiles one trigger with a condition and three mapped values.
func BenchmarkCompile(b *testing.B) {
	trigger := schemas.Trigger{Condition: `data.total > 100 && data.currency == "EUR"`, Mapping: schemas.Mapping{
		Recipients: json.RawMessage(`"data.recipientId"`),
		Data:       map[string]json.RawMessage{"a": json.RawMessage(`"data.total"`), "b": json.RawMessage(`{"expr": "data.total * 2"}`)},
	}}
	for b.Loop() {
		if _, err := rules.Compile(trigger); err != nil {
			b.Fatal(err)
		}
	}
}
