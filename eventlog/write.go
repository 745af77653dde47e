package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	drivercolumn "github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// flight is a block of rows on its way into a table. Until landed is closed it belongs to the goroutine that writes it,
// and with it the doubts about its partitions; then to the lane.
type flight struct {
	table      table
	topic      string
	rows       []row
	partitions map[int32]*partition
	landed     chan struct{}
	took       time.Duration
	err        error // why it is not certain that every row is in the table
}

// isUnderWay tells whether somebody is writing it.
func (f *flight) isUnderWay() bool {
	select {
	case <-f.landed:
		return false
	default:
		return true
	}
}

// write brings every row into its table or into the quarantine. When that ends without a clear answer, the next write
// first asks which of them arrived.
func (f *flight) write(ctx context.Context, conn driver.Conn, log *slog.Logger) {
	began := time.Now()
	f.err = f.attempt(ctx, conn, log)
	f.took = time.Since(began)
	if f.err != nil {
		for _, row := range f.rows {
			doubt := &f.partitions[row.record.Partition].doubt
			doubt.horizon = max(doubt.horizon, row.record.Offset)
		}
	}
	close(f.landed)
}

func (f *flight) attempt(ctx context.Context, conn driver.Conn, log *slog.Logger) error {
	missing, err := f.missing(ctx, conn)
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
	return errors.Join(quarantine(ctx, conn, log, bad), f.table.write(ctx, conn, log, good))
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
		if err := fill(batch.Column(i), batch.Columns()[i], column.values(rows)); err != nil {
			return fmt.Errorf("filling column %s.%s: %w", t.name, column.name, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("inserting %d rows into %s: %w", len(rows), t.name, err)
	}
	return nil
}

// fill gives a column its values. memory is the same column, where its texts lie.
func fill(column driver.BatchColumn, memory drivercolumn.Interface, values any) error {
	switch values := values.(type) {
	case lists:
		for _, list := range values {
			if err := column.AppendRow(list); err != nil {
				return err
			}
		}
		return nil
	case []string:
		if err := reserve(memory, values); err != nil {
			return fmt.Errorf("making room: %w", err)
		}
	}
	return column.Append(values)
}

// reserveFrom is from how many bytes on room is made for a column in advance.
const reserveFrom = 64 << 10

// reserve gives a column of texts the memory for all of them at once, for which the driver has no call: a text as long as
// all together is put in and forgotten. Growing step by step, it would copy what it has again and again, which takes a
// fifth of the time of an insert.
func reserve(into drivercolumn.Interface, texts []string) error {
	text, isText := into.(*drivercolumn.String)
	if !isText {
		return nil
	}
	bytes := 0
	for _, text := range texts {
		bytes += len(text)
	}
	if bytes < reserveFrom {
		return nil
	}
	err := text.AppendRow(make([]byte, bytes))
	text.Reset()
	return err
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
