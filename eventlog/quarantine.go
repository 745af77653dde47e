package eventlog

import (
	"context"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

// quarantineTable takes the records that have no place in their own table. It needs no asking beforehand: its rows are
// identified by their place in Kafka, so that a second copy collapses into the first.
func quarantineTable() table {
	return table{name: "quarantine", columns: withPlace(
		place("recorded_at", recordedAt),
		column{"reason", func(rows []row) any {
			reasons := make([]string, len(rows))
			for i, row := range rows {
				reasons[i] = row.reason
			}
			return reasons
		}},
		place("key", func(r *kgo.Record) string { return string(r.Key) }),
		place("value", func(r *kgo.Record) string { return string(r.Value) }),
		place("headers", headers),
	)}
}

func quarantine(ctx context.Context, conn driver.Conn, log *slog.Logger, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := quarantineTable().send(ctx, conn, rows); err != nil {
		return err
	}
	for _, row := range rows {
		log.Error("a record has no place in its table; it is in the table quarantine",
			"topic", row.record.Topic, "partition", row.record.Partition, "offset", row.record.Offset, "reason", row.reason)
	}
	return nil
}

// recordedAt returns Kafka's time of the record, or the start of 1970 where that is not a time the table can hold: it
// must be the same in every copy of the row.
func recordedAt(record *kgo.Record) time.Time {
	if storable("record time", record.Timestamp) != nil {
		return time.Unix(0, 0).UTC()
	}
	return record.Timestamp
}

func headers(record *kgo.Record) map[string]string {
	headers := make(map[string]string, len(record.Headers))
	for _, header := range record.Headers {
		headers[header.Key] = string(header.Value)
	}
	return headers
}
