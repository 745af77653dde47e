package query

import (
	"context"
	"errors"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// What one query may take of the server.
const (
	maxSeconds = 8
	maxMemory  = 1 << 30       // bytes
	maxRead    = 2_000_000_000 // rows
	maxAnswer  = 256 << 20     // bytes
	maxGroups  = 2_000_000     // different values that are counted at once
)

// bounded limits what a query may take. Beyond any of these the server ends it.
func bounded(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time":   maxSeconds,
		"max_memory_usage":     maxMemory,
		"max_rows_to_read":     maxRead,
		"max_result_bytes":     maxAnswer,
		"max_rows_to_group_by": maxGroups,
	}))
}

// LimitError says that a query was ended because it took too much, and what to narrow.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return e.Message }

// limited turns the server's refusal to go on into advice.
func limited(err error) error {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return err
	}
	const narrower = "; give a shorter time with since and until, a source, an environment or an event"
	switch exception.Code {
	case 159, 160: // TIMEOUT_EXCEEDED, TOO_SLOW
		return &LimitError{"the answer takes longer than 8 s" + narrower}
	case 158, 307: // TOO_MANY_ROWS, TOO_MANY_BYTES
		return &LimitError{"there is too much to look through, or too many different values to count" + narrower}
	case 241: // MEMORY_LIMIT_EXCEEDED
		return &LimitError{"the answer takes more memory than 1 GiB" + narrower}
	case 396: // TOO_MANY_ROWS_OR_BYTES
		return &LimitError{"the answer is larger than 256 MiB; give a smaller limit" + narrower}
	}
	return err
}
