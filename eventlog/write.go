package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// write brings every row of the lane into its table or into the quarantine. When that ends without a clear answer, the
// rows stay, the lane waits, and the next write first asks which of them arrived.
func (l *lane) write(ctx context.Context, conn driver.Conn, log *slog.Logger) {
	err := l.attempt(ctx, conn, log)
	if err == nil {
		l.succeeded(log)
		return
	}
	for _, row := range l.rows {
		partition := l.partitions[row.record.Partition]
		partition.horizon = max(partition.horizon, row.record.Offset)
	}
	l.failed(log, err)
}

func (l *lane) attempt(ctx context.Context, conn driver.Conn, log *slog.Logger) error {
	missing, err := l.missing(ctx, conn)
	if err != nil {
		return err
	}
	var good, bad []row
	for _, row := range missing {
		if row.reason != "" {
			bad = append(bad, row)
		} else {
			good = append(good, row)
		}
	}
	return errors.Join(quarantine(ctx, conn, log, bad), l.table.write(ctx, conn, log, good))
}

// write inserts the rows. Where ClickHouse refuses them because of what they hold, the halves are tried one after the
// other, down to the single row at fault.
func (t table) write(ctx context.Context, conn driver.Conn, log *slog.Logger, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	err := t.send(ctx, conn, rows)
	if err == nil || !refused(err) {
		return err
	}
	if len(rows) == 1 {
		rows[0].reason = err.Error()
		return quarantine(ctx, conn, log, rows)
	}
	half := len(rows) / 2
	if err := t.write(ctx, conn, log, rows[:half]); err != nil {
		return err
	}
	return t.write(ctx, conn, log, rows[half:])
}

func (t table) send(ctx context.Context, conn driver.Conn, rows []row) error {
	batch, err := conn.PrepareBatch(ctx, t.insert())
	if err != nil {
		return fmt.Errorf("inserting into %s: %w", t.name, err)
	}
	defer func() { _ = batch.Close() }() // gives the connection back where Send was not reached
	for i, column := range t.columns {
		if err := column.append(batch.Column(i), rows); err != nil {
			return fmt.Errorf("filling column %s.%s: %w", t.name, column.name, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("inserting %d rows into %s: %w", len(rows), t.name, err)
	}
	return nil
}

// refused tells whether the server refused what the rows hold. Only these answers are about a row; every other one (no
// memory, too many parts, read-only, unknown table, ...) is about the server and may be different a moment later.
func refused(err error) bool {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return false
	}
	switch exception.Code {
	case 69, // ARGUMENT_OUT_OF_BOUND
		117, // INCORRECT_DATA
		128, // TOO_LARGE_ARRAY_SIZE
		131, // TOO_LARGE_STRING_SIZE
		321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
		469: // VIOLATED_CONSTRAINT
		return true
	}
	return false
}

func (l *lane) failed(log *slog.Logger, err error) {
	level := slog.LevelDebug
	if l.failing.IsZero() {
		l.failing = time.Now()
		level = slog.LevelWarn
	}
	l.retryAt = time.Now().Add(l.backoff.NextBackOff())
	log.Log(context.Background(), level, "event log cannot write; it keeps the rows, reads no more of the topic and goes on trying",
		"table", l.table.name, "rows", len(l.rows), "error", err)
}

func (l *lane) succeeded(log *slog.Logger) {
	if l.failing.IsZero() {
		return
	}
	log.Info("event log writes again", "table", l.table.name, "rows", len(l.rows), "after", time.Since(l.failing).Round(time.Millisecond))
	l.failing, l.retryAt = time.Time{}, time.Time{}
	l.backoff.Reset()
}
