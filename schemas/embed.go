package schemas

import (
	"bytes"
	"embed"
)

//go:embed clickhouse/*.sql
var clickhouse embed.FS

// ClickHouse returns the migrations of the event log: files clickhouse/NNNN_name.sql with one statement each, applied in
// the order of their names.
func ClickHouse() embed.FS { return clickhouse }

//go:embed manifest.schema.json
var manifest []byte

// Manifest returns the JSON Schema of a document of the catalog's files, see catalog/manifest.
func Manifest() []byte { return bytes.Clone(manifest) }
