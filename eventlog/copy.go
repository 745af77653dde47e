package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// copyOffsets is how many offsets of a partition are copied or compared with one statement, so that each is done within
// statementTimeout, and what it takes in memory does not grow with the table.
const copyOffsets = 250_000

// held returns the offsets that the table has rows of.
func (r *rebuild) held(ctx context.Context) ([]stretch, error) {
	var rows []struct {
		Topic     string `ch:"topic"`
		Partition int32  `ch:"partition"`
		First     int64  `ch:"first"`
		Last      int64  `ch:"last"`
	}
	if err := r.conn.Select(ctx, &rows, "SELECT topic, partition, min(offset) AS first, max(offset) AS last FROM "+r.name+" GROUP BY topic, partition"); err != nil {
		return nil, fmt.Errorf("asking which offsets it has: %w", err)
	}
	held := make([]stretch, len(rows))
	for i, row := range rows {
		held[i] = stretch{row.Topic, row.Partition, row.First, row.Last + 1}
	}
	return held, nil
}

// copyOlder takes the rows of records along that are not read from Kafka: those below what is, and those of topics and
// partitions that there are no longer.
func (r *rebuild) copyOlder(ctx context.Context, held []stretch) error {
	for _, rows := range held {
		if known := r.mark.of(rows); known != nil {
			rows.To = min(rows.To, known.From)
		}
		if err := r.copyRange(ctx, r.fresh(), rows); err != nil {
			return err
		}
	}
	return nil
}

// copyRange copies the rows of some offsets from the old table into the new one, which is into.
func (r *rebuild) copyRange(ctx context.Context, into string, rows stretch) error {
	old := r.name
	if into == r.name {
		old = r.fresh()
	}
	names, err := r.columns(ctx, old, into)
	if err != nil {
		return err
	}
	list := "`" + strings.Join(names, "`, `") + "`"
	return pieces(rows, func(some stretch) error {
		where := " FROM " + old + atOffsets
		var count uint64
		if err := r.conn.QueryRow(ctx, "SELECT count()"+where, some.named()...).Scan(&count); err != nil {
			return fmt.Errorf("counting rows of %s: %w", old, err)
		}
		if count == 0 {
			return nil
		}
		if err := r.conn.Exec(ctx, "INSERT INTO "+into+" ("+list+") SELECT "+list+where, some.named()...); err != nil {
			return fmt.Errorf("copying %d rows from %s: %w", count, old, err)
		}
		r.copied.Add(int64(count))
		return nil
	})
}

// atOffsets is the condition of the rows of a stretch.
const atOffsets = " WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset >= {from:Int64} AND offset < {to:Int64}"

func (s stretch) named() []any {
	return []any{
		clickhouse.Named("topic", s.Topic), clickhouse.Named("partition", s.Partition), clickhouse.Named("from", s.From), clickhouse.Named("to", s.To),
	}
}

// pieces visits a stretch in pieces of copyOffsets.
func pieces(of stretch, visit func(stretch) error) error {
	for first := of.From; first < of.To; first += copyOffsets {
		some := of
		some.From, some.To = first, min(first+copyOffsets, of.To)
		if err := visit(some); err != nil {
			return err
		}
	}
	return nil
}

// columns returns the columns that two tables share. One that only the old table has, nobody knows here: its contents
// would be lost, so it is an error.
func (r *rebuild) columns(ctx context.Context, old, fresh string) (shared []string, err error) {
	var rows []struct {
		Name   string   `ch:"name"`
		Tables []string `ch:"tables"`
	}
	err = r.conn.Select(ctx, &rows, "SELECT name, groupArray(table) AS tables FROM system.columns WHERE database = currentDatabase() AND table IN ({old:String}, {fresh:String})"+
		" AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') GROUP BY name", clickhouse.Named("old", old), clickhouse.Named("fresh", fresh))
	if err != nil {
		return nil, fmt.Errorf("asking for columns: %w", err)
	}
	var problems []error
	for _, row := range rows {
		switch {
		case len(row.Tables) == 2:
			shared = append(shared, row.Name)
		case row.Tables[0] == old:
			problems = append(problems, fmt.Errorf("column %s of %s is in no migration and would be lost; drop it with ALTER TABLE %s DROP COLUMN if you need it no more, or add it with a migration", row.Name, old, old))
		}
	}
	return shared, errors.Join(problems...)
}

// unknown counts the rows of the old table that are in the range of what was read from Kafka and not in the new one, neither
// there nor under the place of another record of the same identity. Rows that the table no longer keeps do not count.
func (r *rebuild) unknown(ctx context.Context, ranges []stretch) (sum int64, err error) {
	fresh, old := r.name, r.fresh()
	// With the time, which the rows of a former topic of the same name do not share.
	identity := "(" + identityOf(r.name) + ", " + r.ttl.column + ")"
	absent := " FROM " + old + atOffsets + fmt.Sprintf(" AND toDateTime(%s) > now() - INTERVAL %d DAY", r.ttl.column, r.ttl.days) +
		" AND " + identity + " NOT IN (SELECT " + identity + " FROM " + fresh + atOffsets + ")"
	question := "SELECT count()" + absent + " AND " + identity + " NOT IN (SELECT " + identity + " FROM " + fresh +
		" WHERE " + identity + " IN (SELECT " + identity + absent + "))"
	for _, of := range ranges {
		err := pieces(of, func(some stretch) error {
			var count uint64
			if err := r.conn.QueryRow(ctx, question, some.named()...).Scan(&count); err != nil {
				return fmt.Errorf("comparing the old table with the new one: %w", err)
			}
			sum += int64(count)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sum, nil
}
