package schemas

import "embed"

//go:embed clickhouse/*.sql
var clickhouse embed.FS

// ClickHouse returns the migrations of the event log: files clickhouse/NNNN_name.sql with one statement each, applied in
// the order of their names.
func ClickHouse() embed.FS { return clickhouse }
