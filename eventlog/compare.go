package eventlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lookupIDs is how many identities are looked up with one question.
const lookupIDs = 1000

// compare looks for the rows of a chunk, which has every record of a span of the partition.
func (v verifier) compare(ctx context.Context, part *part, chunk []*kgo.Record, span span) error {
	rows, err := v.counts(ctx, part.table.name, part, span)
	if err != nil {
		return err
	}
	part.Records += int64(len(chunk))
	var absent []*kgo.Record
	for _, record := range chunk {
		switch count := rows[record.Offset]; {
		case count == 0:
			absent = append(absent, record)
		case count > 1:
			part.Twice++
			part.Rows++
		default:
			part.Rows++
		}
		delete(rows, record.Offset)
	}
	part.Unknown += int64(len(rows))
	if len(absent) == 0 {
		return nil
	}
	return v.explain(ctx, part, absent, span)
}

// counts returns how often each offset of the span counts in a table.
func (v verifier) counts(ctx context.Context, table string, part *part, span span) (map[int64]uint64, error) {
	var rows []struct {
		Offset int64  `ch:"offset"`
		Count  uint64 `ch:"count"`
	}
	err := v.conn.Select(ctx, &rows, "SELECT offset, count() AS count FROM "+table+" FINAL"+
		" WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset BETWEEN {first:Int64} AND {last:Int64} GROUP BY offset",
		clickhouse.Named("topic", part.Topic), clickhouse.Named("partition", part.Partition),
		clickhouse.Named("first", span.first), clickhouse.Named("last", span.last))
	if err != nil {
		return nil, fmt.Errorf("asking table %s for its offsets: %w", table, err)
	}
	counts := make(map[int64]uint64, len(rows))
	for _, row := range rows {
		counts[row.Offset] = row.Count
	}
	return counts, nil
}

// explain finds out why records have no row of their own.
func (v verifier) explain(ctx context.Context, part *part, absent []*kgo.Record, span span) error {
	quarantined, err := v.counts(ctx, quarantineTable().name, part, span)
	if err != nil {
		return err
	}
	keys := make(map[*kgo.Record]rowKey)
	byColumn := make(map[string][]uuid.UUID)
	for _, record := range absent {
		if fields, err := part.table.decode(record); err == nil {
			key := keyOf(fields)
			keys[record] = key
			byColumn[key.column] = append(byColumn[key.column], key.id)
		}
	}
	delete(byColumn, "")
	present := make(map[identity]bool)
	for column, ids := range byColumn {
		if err := v.lookUp(ctx, part.table.name, column, ids, present); err != nil {
			return err
		}
	}
	for _, record := range absent {
		key := keys[record]
		switch {
		case quarantined[record.Offset] > 0:
			part.Quarantined++
		case key.column != "" && present[key.identity]:
			part.Collapsed++
		case !key.at.IsZero() && time.Since(key.at) > time.Duration(part.ttl.days)*24*time.Hour:
			part.Expired++
		default:
			part.miss(record.Offset)
		}
	}
	return nil
}

func (p *part) miss(offset int64) {
	if p.Missing == 0 {
		p.FirstMissing = offset
	}
	p.Missing++
}

// lookUp notes which of the identities have a row.
func (v verifier) lookUp(ctx context.Context, table, column string, ids []uuid.UUID, present map[identity]bool) error {
	replay := "''"
	if table == "decisions" { // live traffic and each replay decide apart
		replay = "replay_id"
	}
	for some := range slices.Chunk(ids, lookupIDs) {
		var rows []struct {
			ID     uuid.UUID `ch:"id"`
			Replay string    `ch:"replay"`
		}
		err := v.conn.Select(ctx, &rows, "SELECT DISTINCT "+column+" AS id, "+replay+" AS replay FROM "+table+" WHERE "+column+" IN (SELECT arrayJoin({ids:Array(UUID)}))",
			clickhouse.Named("ids", some))
		if err != nil {
			return fmt.Errorf("looking for identities in table %s: %w", table, err)
		}
		for _, row := range rows {
			present[identity{row.ID, row.Replay}] = true
		}
	}
	return nil
}
