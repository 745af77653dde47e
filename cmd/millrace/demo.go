package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// demoSource is the name of the source that the first start makes.
const demoSource = "demo"

// demoEvent is what the banner's curl line posts. It has a message ID, so that posting it again shows dedup.
const demoEvent = `{"type":"track","event":"Order Completed","userId":"ada","messageId":"order-1",` +
	`"properties":{"order_id":"order-1","total":42.5,"currency":"EUR"}}`

// seedDemo makes the demo source and its trigger in each environment, unless the catalog has any source: then this is
// not the first start.
func seedDemo(ctx context.Context, reader *catalog.Reader, writer *catalog.Writer) error {
	if len(reader.Snapshot().Sources()) > 0 {
		return nil
	}
	source, err := writer.CreateSource(ctx, schemas.Source{Name: demoSource, Description: "Made by the first start, to try things out."})
	if err != nil {
		return fmt.Errorf("making the demo source: %w", err)
	}
	for _, environment := range reader.Snapshot().Environments() {
		if _, err := writer.CreateTrigger(ctx, demoTrigger(environment.Name, source.ID)); err != nil {
			return fmt.Errorf("making the demo trigger: %w", err)
		}
	}
	return nil
}

func demoTrigger(environment, sourceID string) schemas.Trigger {
	return schemas.Trigger{
		Environment: environment, SourceID: sourceID, Event: "Order Completed", Workflow: "order-confirmation",
		Mapping: schemas.Mapping{
			// Visitors who have not logged in have no user ID.
			Recipients: json.RawMessage(`{"expr": "user_id ?? anonymous_id"}`),
			Data: map[string]json.RawMessage{
				"order":    json.RawMessage(`"data.order_id"`),
				"total":    json.RawMessage(`"data.total"`),
				"currency": json.RawMessage(`"data.currency"`),
			},
		},
	}
}
