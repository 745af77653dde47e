package eventlog

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type auditFields struct {
	schemas.AuditEntry
	id, changeID uuid.UUID
}

func auditTable() table {
	return table{name: "audit", topic: schemas.AuditTopic, decode: read(schemas.Decode, auditEntry), columns: withPlace(
		of("audit_id", func(a *auditFields) uuid.UUID { return a.id }),
		of("change_id", func(a *auditFields) uuid.UUID { return a.changeID }),
		of("at", func(a *auditFields) time.Time { return a.At }),
		of("actor", func(a *auditFields) string { return a.Actor }),
		of("action", func(a *auditFields) string { return string(a.Action) }),
		of("kind", func(a *auditFields) string { return a.Kind }),
		of("resource_id", func(a *auditFields) string { return a.ResourceID }),
		of("name", func(a *auditFields) string { return a.Name }),
		of("revision", func(a *auditFields) int64 { return a.Revision }),
		of("before", func(a *auditFields) string { return string(a.Before) }),
		of("after", func(a *auditFields) string { return string(a.After) }),
	)}
}

func auditEntry(entry schemas.AuditEntry) (*auditFields, error) {
	id, idErr := parseID("audit ID", entry.ID)
	changeID, changeErr := parseID("change ID", entry.ChangeID)
	if err := errors.Join(idErr, changeErr, storable("at", entry.At)); err != nil {
		return nil, err
	}
	return &auditFields{entry, id, changeID}, nil
}
