package eventlog

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// span is a range of offsets of one partition, both ends included.
type span struct{ first, last int64 }

// missing returns the rows that are not in the table yet. Without doubt about a partition it asks nothing.
//
// An insert is not atomic across the days it touches, and one that was given up may still be half done, so neither "the
// block is there" nor "the highest offset is there" can be trusted: each offset is looked up.
func (f *flight) missing(ctx context.Context, conn driver.Conn) ([]row, error) {
	present := make(map[int32]map[int64]bool)
	for number, span := range spans(f.rows) {
		doubt := &f.partitions[number].doubt
		if err := f.settle(ctx, conn, number, span, doubt); err != nil {
			return nil, err
		}
		if span.first > doubt.horizon {
			continue
		}
		offsets, err := f.present(ctx, conn, number, span)
		if err != nil {
			return nil, err
		}
		present[number] = offsets
	}
	var missing []row
	for _, row := range f.rows {
		if !present[row.record.Partition][row.record.Offset] {
			missing = append(missing, row)
		}
	}
	return missing, nil
}

// settle asks, once after an assignment, how far somebody else may have written.
func (f *flight) settle(ctx context.Context, conn driver.Conn, number int32, span span, doubt *doubt) error {
	if !doubt.unsure {
		return nil
	}
	var highest int64
	err := conn.QueryRow(ctx, "SELECT if(count() = 0, -1, max(offset)) FROM "+f.table.name+
		" WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset >= {first:Int64}",
		f.from(number, span)...).Scan(&highest)
	if err != nil {
		return fmt.Errorf("asking table %s for the last offset of partition %d: %w", f.table.name, number, err)
	}
	doubt.horizon = max(doubt.horizon, highest)
	doubt.unsure = false
	return nil
}

func (f *flight) present(ctx context.Context, conn driver.Conn, number int32, span span) (map[int64]bool, error) {
	var rows []struct {
		Offset int64 `ch:"offset"`
	}
	err := conn.Select(ctx, &rows, "SELECT DISTINCT offset FROM "+f.table.name+
		" WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset BETWEEN {first:Int64} AND {last:Int64}",
		f.from(number, span)...)
	if err != nil {
		return nil, fmt.Errorf("asking table %s which offsets of partition %d it has: %w", f.table.name, number, err)
	}
	offsets := make(map[int64]bool, len(rows))
	for _, row := range rows {
		offsets[row.Offset] = true
	}
	return offsets, nil
}

func (f *flight) from(number int32, span span) []any {
	return []any{
		clickhouse.Named("topic", f.topic),
		clickhouse.Named("partition", number),
		clickhouse.Named("first", span.first),
		clickhouse.Named("last", span.last),
	}
}

func spans(rows []row) map[int32]span {
	spans := make(map[int32]span)
	for _, row := range rows {
		offset := row.record.Offset
		known, ok := spans[row.record.Partition]
		if !ok {
			known = span{offset, offset}
		}
		spans[row.record.Partition] = span{min(known.first, offset), max(known.last, offset)}
	}
	return spans
}
