package eventlog

import (
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type rejectionFields struct {
	schemas.Rejection
	id uuid.UUID
}

func rejectionsTable() table {
	return table{name: "rejections", topic: schemas.RejectionsTopic, decode: read(schemas.Decode, rejection), columns: withPlace(
		of("rejection_id", func(r *rejectionFields) uuid.UUID { return r.id }),
		of("rejected_at", func(r *rejectionFields) time.Time { return r.RejectedAt }),
		of("source_id", func(r *rejectionFields) string { return r.SourceID }),
		of("environment", func(r *rejectionFields) string { return r.Environment }),
		of("status_code", func(r *rejectionFields) uint16 { return uint16(r.StatusCode) }),
		of("code", func(r *rejectionFields) string { return r.Code }),
		of("message", func(r *rejectionFields) string { return r.Message }),
		of("field", func(r *rejectionFields) string { return r.Field }),
		of("body", func(r *rejectionFields) string { return string(r.Body) }),
	)}
}

func rejection(record schemas.Rejection) (*rejectionFields, error) {
	id, err := parseID("rejection ID", record.ID)
	if err != nil {
		return nil, err
	}
	return &rejectionFields{record, id}, storable("rejected_at", record.RejectedAt)
}
