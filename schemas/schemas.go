// Package schemas holds what crosses a boundary: the posted track event, the records on each Kafka topic with their
// headers and IDs, the topics themselves, and the ClickHouse migrations. It knows no client, starts no goroutine and
// does no I/O, so that every role can share it without depending on another role. A record's `schema` member is an
// integer version: writers write Version, and readers stop in front of one they do not know (VersionError).
//
//	POST -> events -> decisions, runs -> deliveries, runs.dead
//	     -> rejections          catalog -> every role, audit
package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Record is the constraint of the JSON records that Encode writes and Decode reads.
type Record interface {
	Decision | Run | Delivery | DeadLetter | Rejection | CatalogEntry | AuditEntry
}

// Encode returns the record as JSON. It does not escape HTML characters, so that the body bytes inside a run are the
// bytes a reader gets back. It fails only when a raw JSON member is not valid JSON.
func Encode[R Record](record R) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, fmt.Errorf("encoding %T: %w", record, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Decode reads a record written by Encode. It ignores members that it does not know. It fails on malformed JSON, and with
// a VersionError on a schema version that this release does not read.
func Decode[R Record](value []byte) (R, error) {
	var versioned struct {
		Schema int `json:"schema"`
	}
	var record R
	if err := json.Unmarshal(value, &versioned); err != nil {
		return record, fmt.Errorf("decoding %T: %w", record, err)
	}
	if err := checkVersion(versioned.Schema); err != nil {
		return record, fmt.Errorf("decoding %T: %w", record, err)
	}
	if err := json.Unmarshal(value, &record); err != nil {
		return record, fmt.Errorf("decoding %T: %w", record, err)
	}
	return record, nil
}
