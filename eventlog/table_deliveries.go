package eventlog

import (
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type deliveryFields struct {
	schemas.Delivery
	runID, eventID uuid.UUID
}

func deliveriesTable() table {
	return table{name: "deliveries", topic: schemas.DeliveriesTopic, decode: read(schemas.DecodeDelivery, delivery), columns: withPlace(
		of("run_id", func(d *deliveryFields) uuid.UUID { return d.runID }),
		of("event_id", func(d *deliveryFields) uuid.UUID { return d.eventID }),
		of("environment", func(d *deliveryFields) string { return d.Environment }),
		of("workflow", func(d *deliveryFields) string { return d.Workflow }),
		of("attempt", func(d *deliveryFields) uint32 { return uint32(d.Attempt) }),
		of("outcome", func(d *deliveryFields) string { return string(d.Outcome) }),
		of("attempted_at", func(d *deliveryFields) time.Time { return d.AttemptedAt }),
		of("latency_ms", func(d *deliveryFields) float64 { return d.LatencyMs }),
		of("status_code", func(d *deliveryFields) uint16 { return uint16(d.StatusCode) }),
		of("error", func(d *deliveryFields) string { return d.Error }),
		of("response", func(d *deliveryFields) string { return d.Response }),
		of("workflow_run_id", func(d *deliveryFields) string { return d.WorkflowRunID }),
	)}
}

func delivery(record schemas.Delivery) (*deliveryFields, error) {
	fields := &deliveryFields{Delivery: record}
	var err error
	if fields.runID, err = parseID("run ID", record.RunID); err != nil {
		return nil, err
	}
	if fields.eventID, err = parseID("event ID", record.EventID); err != nil {
		return nil, err
	}
	return fields, storable("attempted_at", record.AttemptedAt)
}
