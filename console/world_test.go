package console_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// world is what the management API of a test knows. Times are fixed, so that pages and their pictures are the same
// whenever they are made.
type world struct {
	sources      []api.Source
	environments []schemas.Environment
	events       []query.EventItem
	detail       api.Event
	names        []query.NameItem
	series       query.Series
	dedup        query.Dedup
	latency      query.Latency
	rejections   []query.RejectionItem
	triggers     []schemas.Trigger
	audit        []query.AuditItem
	edited       schemas.Trigger                                          // the one that the editor's tests edit
	editor       func(method, path, body string) (status int, answer any) // answers before the editor's fake, unless with 0
	replays      []api.Replay
}

// noon is the middle of the world's day.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

const (
	shopID   = "src_0123456789abcdef0123456789abcdef"
	mobileID = "src_fedcba9876543210fedcba9876543210"
	eventID  = "019524f0-0000-7000-8000-000000000001"
	firstID  = "019524f0-0000-7000-8000-000000000002"
	runID    = "5f0c1f9e-52a7-5a53-9b0e-0d6a9f0c7a11"
	orderID  = "trg_00000000000000000000000000000001"
)

func endpoint(key string) api.Endpoint {
	return api.Endpoint{
		Key: key, URL: "https://events.example.com/v1/receive/" + key, DedupWindow: schemas.DefaultWindow, PreviousKeys: []api.PreviousKey{},
	}
}

// emptyShop has a source, and has received nothing yet.
func emptyShop() world {
	signed := endpoint("Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4")
	signed.Signature = &schemas.Signature{Scheme: schemas.StandardWebhooks, SecretRef: "file:/run/secrets/shop"}
	signed.PreviousKeys = []api.PreviousKey{{Until: noon().Add(20 * time.Hour)}}
	source := api.Source{
		ID: shopID, Name: "shop", Description: "The web shop's checkout", Revision: 3, CreatedAt: noon(), UpdatedAt: noon(),
		Endpoints: map[string]api.Endpoint{"development": endpoint("c2hvcC1kZXZlbG9wbWVudC1lbmRwb2lu"), "production": signed},
	}
	return world{
		sources: []api.Source{source},
		environments: []schemas.Environment{
			{Name: "development", Workflows: schemas.WorkflowAPI{Kind: schemas.WorkflowHTTP, Order: schemas.RelaxedOrder}, Revision: 1},
			{Name: "production", Workflows: schemas.WorkflowAPI{Kind: schemas.WorkflowHTTP, Order: schemas.RelaxedOrder}, Revision: 1},
		},
		series:  query.Series{Interval: query.Minute, Since: noon().Add(-time.Hour), Until: noon(), Times: []time.Time{}, Series: []query.Line{}},
		dedup:   query.Dedup{Since: noon().Add(-time.Hour), Until: noon(), Items: []query.DedupItem{}, Triggers: []query.TriggerMatch{}},
		latency: query.Latency{Since: noon().Add(-time.Hour), Until: noon(), Items: []query.LatencyItem{}},
	}
}

// busyShop has had an hour of traffic.
func busyShop() world {
	w := emptyShop()
	w.sources = append(w.sources, api.Source{
		ID: mobileID, Name: "mobile", Description: "The apps for phones", Revision: 1, CreatedAt: noon(), UpdatedAt: noon(),
		Endpoints: map[string]api.Endpoint{"development": endpoint("bW9iaWxlLWRldmVsb3BtZW50LWVuZHBv"), "production": endpoint("bW9iaWxlLXByb2R1Y3Rpb24tZW5kcG9p")},
	})
	names := []string{"Order Completed", "Product Viewed", "Cart Abandoned", "Order Refunded", "Signed Up"}
	statuses := []schemas.Status{schemas.Processed, schemas.NoTrigger, schemas.Processed, schemas.Duplicate, schemas.Processed, schemas.Failed, schemas.NoTrigger}
	for i := range 50 {
		event := query.EventItem{
			ID: fmt.Sprintf("019524f0-0000-7000-8000-%012d", i+1), SourceID: []string{shopID, shopID, mobileID}[i%3], Environment: "production",
			Event: names[(i*3)%len(names)], MessageID: fmt.Sprintf("order-%d", 90210-i), UserID: []string{"ada", "grace", "edsger", "barbara"}[i%4],
			ReceivedAt: noon().Add(-time.Duration(i*i) * 400 * time.Millisecond), Status: statuses[i%len(statuses)],
		}
		event.Timestamp = event.ReceivedAt.Add(-120 * time.Millisecond)
		event.DecidedAt = event.ReceivedAt.Add(time.Duration(6+i%9) * time.Millisecond)
		w.events = append(w.events, event)
	}
	for i, name := range names {
		w.names = append(w.names, query.NameItem{
			Event: name, SourceID: shopID, Environment: "production", FirstSeen: noon().Add(-80 * time.Hour), LastSeen: noon().Add(-time.Duration(i) * time.Minute), Count: 12345,
		})
	}
	w.names = append(w.names, query.NameItem{Event: "App Opened", SourceID: mobileID, Environment: "production", FirstSeen: noon(), LastSeen: noon().Add(-time.Hour), Count: 9})
	w.edited = editedTrigger()
	w.count()
	w.detail = orderCompleted(w.events[0])
	w.triggers, w.audit = shopTriggers(), shopAudit()
	w.replays = someReplays()
	w.rejections = []query.RejectionItem{
		{
			ID: "0195250a-0000-7000-8000-000000000001", SourceID: shopID, Environment: "production", RejectedAt: noon().Add(-4 * time.Minute), StatusCode: 422,
			Code: "batch_not_supported", Message: "batches are not supported; post each event by itself", Field: "batch", Body: `{"batch":[{"type":"track","event":"Order Completed"}]}`,
		},
		{
			ID: "0195250a-0000-7000-8000-000000000002", RejectedAt: noon().Add(-11 * time.Minute), StatusCode: 404,
			Code: "unknown_endpoint", Message: "no endpoint has this key, or it is disabled", Body: `{"type":"track","event":"Product Viewed"}`,
		},
	}
	return w
}

// count makes the sums: an hour by the minute.
func (w *world) count() {
	outcomes := []string{"processed", "no_trigger", "duplicate", "failed"}
	for i := range 60 {
		w.series.Times = append(w.series.Times, noon().Add(time.Duration(i-60)*time.Minute))
	}
	for i, outcome := range outcomes {
		line := query.Line{Value: &outcomes[i]}
		for minute := range w.series.Times {
			count := uint64([]int{820, 310, 90, 4}[i] + (minute*37*(i+3))%[]int{240, 120, 60, 9}[i])
			if outcome == "failed" && minute < 48 {
				count = 0
			}
			line.Counts, line.Total = append(line.Counts, count), line.Total+count
		}
		w.series.Series = append(w.series.Series, line)
	}
	w.dedup.Items = []query.DedupItem{{
		At: w.dedup.Since, Events: 88213, Duplicates: 7102, Processed: 56401, NoTrigger: 24612, Failed: 98, Matched: 41988, DedupRate: 0.0805, MatchRate: 0.5177,
	}}
	w.dedup.Triggers = []query.TriggerMatch{{TriggerID: orderID, Workflow: "order-confirmation", Considered: 58310, Matched: 43120, ConditionFalse: 15092, MappingError: 98, MatchRate: 0.7395}}
	w.latency.Items = []query.LatencyItem{
		{Workflow: "cart-reminder", At: w.latency.Since, Attempts: 9120, Delivered: 9120, CallMs: &query.Quantiles{P50: 21, P90: 40, P95: 52, P99: 88, Max: 140}, DeliveredMs: &query.Quantiles{P50: 61, P90: 110, P95: 150, P99: 240, Max: 700}},
		{Workflow: "order-confirmation", At: w.latency.Since, Attempts: 34031, Delivered: 33988, Retrying: 41, Dead: 2, CallMs: &query.Quantiles{P50: 31, P90: 60, P95: 92, P99: 410, Max: 2900}, DeliveredMs: &query.Quantiles{P50: 74, P90: 140, P95: 190, P99: 1480, Max: 62000}},
	}
}

// orderCompleted is an event that one trigger took, one did not, and one could not; its run was tried twice.
func orderCompleted(item query.EventItem) api.Event {
	at := func(ms float64) time.Time { return item.ReceivedAt.Add(time.Duration(ms * float64(time.Millisecond))) }
	body := `{"type":"track","event":"Order Completed","userId":"ada","messageId":"order-90210","properties":{"order_id":"90210","total":142.5,"currency":"EUR","items":[{"sku":"TEA-42","quantity":2},{"sku":"CUP-7","quantity":1}]},"context":{"library":{"name":"shop"}}}`
	run := query.RunItem{
		ID: runID, Workflow: "order-confirmation", TriggerID: orderID, EventID: item.ID, Environment: item.Environment, SourceID: item.SourceID,
		Recipients: []json.RawMessage{json.RawMessage(`"ada"`)}, Actor: json.RawMessage("null"), Tenant: json.RawMessage("null"),
		Data: json.RawMessage(`{"order":"90210","total":142.5,"currency":"EUR"}`), Status: query.Delivered, ReceivedAt: item.ReceivedAt, CreatedAt: at(9),
	}
	attempts := []query.Attempt{
		{RunID: runID, Attempt: 1, Outcome: schemas.Retrying, AttemptedAt: at(14), LatencyMs: 31, StatusCode: 503, Error: "the workflow API answered 503 Service Unavailable", Response: `{"error":"try again"}`},
		{RunID: runID, Attempt: 2, Outcome: schemas.Delivered, AttemptedAt: at(1240), LatencyMs: 42.5, StatusCode: 200, WorkflowRunID: "wr_2vTq8bJm"},
	}
	var event api.Event
	item.DecidedAt = time.Time{} // it is in the decision
	event.EventItem, event.Body, event.Raw = item, body, json.RawMessage(body)
	event.Notes, event.Runs, event.Attempts = []string{}, []query.RunItem{run}, attempts
	event.Decision = &query.Decision{Status: schemas.Processed, DecidedAt: at(8), Triggers: []schemas.TriggerDecision{
		{TriggerID: orderID, Revision: 4, Workflow: "order-confirmation", Outcome: schemas.Matched, RunID: runID},
		{TriggerID: "trg_00000000000000000000000000000002", Revision: 1, Workflow: "big-order", Outcome: schemas.ConditionFalse, Reason: "data.total > 500 is false"},
	}}
	event.Timeline = []query.Step{
		{At: at(0), Step: query.Received, Outcome: "accepted"},
		{At: at(8), AfterMs: 8, Step: query.Deduplicated, Outcome: "first"},
		{At: at(8), AfterMs: 8, Step: query.TriggerAsked, Outcome: "matched", TriggerID: orderID, Workflow: "order-confirmation", RunID: runID},
		{At: at(8), AfterMs: 8, Step: query.TriggerAsked, Outcome: "condition_false", TriggerID: "trg_00000000000000000000000000000002", Workflow: "big-order", Message: "data.total > 500 is false"},
		{At: at(9), AfterMs: 9, Step: query.RunCreated, Outcome: "created", Workflow: "order-confirmation", RunID: runID},
		{At: at(14), AfterMs: 14, Step: query.Attempted, Outcome: "retrying", Workflow: "order-confirmation", RunID: runID, Attempt: 1, StatusCode: 503, LatencyMs: 31, Message: "the workflow API answered 503 Service Unavailable"},
		{At: at(1240), AfterMs: 1240, Step: query.Attempted, Outcome: "delivered", Workflow: "order-confirmation", RunID: runID, Attempt: 2, StatusCode: 200, LatencyMs: 42.5},
	}
	return event
}
