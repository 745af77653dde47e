package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/millrace/millrace/rig"
)

// The oracle says which runs the sample events must create. It is written without the code under test, in plain Go over
// plain maps, once more than the triggers below say it in expressions and paths.

// sample is one event of the sample file.
type sample struct {
	body       []byte
	messageID  string
	event      string
	userID     string
	properties map[string]any
}

func samples(t testing.TB) []sample {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(rig.Root(t), "schemas", "testdata", "track-events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for line := range bytes.Lines(file) {
		var event struct {
			MessageID  string         `json:"messageId"`
			Event      string         `json:"event"`
			UserID     string         `json:"userId"`
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{bytes.TrimSpace(line), event.MessageID, event.Event, event.UserID, event.Properties})
	}
	return all
}

// input is what a run gives to its workflow. Two inputs are equal when their JSON is.
type input struct {
	Workflow        string `json:"workflow"`
	Recipients      any    `json:"recipients"`
	Actor           any    `json:"actor,omitempty"`
	Tenant          any    `json:"tenant,omitempty"`
	CancellationKey string `json:"cancellation_key,omitempty"`
	Data            any    `json:"data,omitempty"`
}

// triggers are the ones the oracle knows, as they are posted.
func triggers() []map[string]any {
	return []map[string]any{
		{
			"event": "Order Completed", "workflow": "big-order",
			"condition": `data.total > 100 && data.currency == "EUR"`,
			"mapping": map[string]any{
				"recipients": "data.recipientId",
				"data": map[string]any{
					"order": "data.order_id", "first": "data.products.0.product_id", "city": "data.shipping.city",
					"count": map[string]any{"expr": "len(data.products)"}, "template": map[string]any{"value": "v2"},
				},
			},
		},
		{
			"event": "Invoice Overdue", "workflow": "dunning", "condition": "data.days_overdue >= 30",
			"mapping": map[string]any{"recipients": "data.owner", "tenant": "data.account.id", "cancellation_key": "data.invoice_id"},
		},
		{
			"event": "Comment Created", "workflow": "comment", "condition": "len(data.watchers) > 0",
			"mapping": map[string]any{"recipients": "data.watchers", "actor": "data.commenter", "data": map[string]any{"text": "data.text"}},
		},
		{
			"event": "Task Assigned", "workflow": "task",
			"mapping": map[string]any{"recipients": "data.assigned_to", "tenant": "data.tenant"},
		},
		{"event": "Signed Up", "workflow": "welcome", "status": "inactive"},
		{
			"event": "*", "workflow": "watch-payments", "condition": `event == "Payment Failed" && data.amount_cents > 5000`,
			"mapping": map[string]any{"recipients": map[string]any{"value": []string{"ops"}}},
		},
	}
}

// expected returns what the events must start, sorted, each as JSON.
func expected(t testing.TB, events []sample) []string {
	t.Helper()
	var all []string
	for _, event := range events {
		for _, made := range expectedOf(event) {
			all = append(all, asJSON(t, made))
		}
	}
	slices.Sort(all)
	return all
}

func expectedOf(event sample) []input {
	p := event.properties
	switch event.event {
	case "Order Completed":
		if p["total"].(float64) <= 100 || p["currency"] != "EUR" {
			return nil
		}
		products := p["products"].([]any)
		return []input{{Workflow: "big-order", Recipients: []any{p["recipientId"]}, Data: map[string]any{
			"order": p["order_id"], "first": products[0].(map[string]any)["product_id"],
			"city": p["shipping"].(map[string]any)["city"], "count": len(products), "template": "v2",
		}}}
	case "Invoice Overdue":
		if p["days_overdue"].(float64) < 30 {
			return nil
		}
		return []input{{
			Workflow: "dunning", Recipients: []any{p["owner"]}, Tenant: p["account"].(map[string]any)["id"],
			CancellationKey: p["invoice_id"].(string), Data: p,
		}}
	case "Comment Created":
		watchers := p["watchers"].([]any)
		if len(watchers) == 0 {
			return nil
		}
		return []input{{Workflow: "comment", Recipients: watchers, Actor: p["commenter"], Data: map[string]any{"text": p["text"]}}}
	case "Task Assigned":
		return []input{{Workflow: "task", Recipients: []any{p["assigned_to"]}, Tenant: p["tenant"], Data: p}}
	case "Payment Failed":
		if p["amount_cents"].(float64) > 5000 {
			return []input{{Workflow: "watch-payments", Recipients: []any{"ops"}, Data: p}}
		}
	}
	return nil
}

// asJSON returns a value in one canonical form: encoding/json sorts the members of maps.
func asJSON(t testing.TB, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(encoded, &plain); err != nil {
		t.Fatal(err)
	}
	canonical, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(canonical)
}

// difference explains how two sorted lists differ, or returns nil.
func difference(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Errorf("%d, want %d; the first to differ:\n got %s\nwant %s", len(got), len(want), got[i], want[i])
		}
	}
	return fmt.Errorf("%d, want %d, equal as far as both go", len(got), len(want))
}
