// Package fill writes an event log of thirty days, the last of them dense, and what followed from its events. What it
// writes depends on nothing but how many events there are, of which sources, and the time: two runs measure the same.
package fill

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
)

//go:embed *.sql
var statements embed.FS

// numberOfDays is how long the log reaches back; a fifth of the events are of the last day.
const numberOfDays = 30

// The rows of an insert: into the last day as the writer makes them, into those before it, whose parts have been merged
// since, as many as a statement has time for.
const (
	lastRows = 50_000
	oldRows  = 300_000
)

// Sources are the IDs of those that the events come from where it does not matter which.
func Sources() []string { return []string{"src_0", "src_1", "src_2", "src_3", "src_4"} }

// Log writes so many events of the sources and what followed, and a hundredth of the last day's events twice. It prints how
// far it is. Where that is done already it writes nothing; where it was ended early, on the same day, it goes on.
func Log(ctx context.Context, conn driver.Conn, rows uint64, sources []string) error {
	there, err := days(ctx, conn)
	if err != nil {
		return err
	}
	if done, err := isDone(there, rows); done || err != nil {
		return err
	}
	began := time.Now()
	start, perDay := began.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-numberOfDays), rows*4/5/(numberOfDays-1)
	missing, err := resume(ctx, conn, there, start)
	if err != nil {
		return err
	}
	bar := progressbar.Default(int64(rows), "filling")
	settling, settlingCtx := errgroup.WithContext(ctx) // one day while the next is written: merging takes one core
	settling.SetLimit(1)
	// The last day is written last: an hour after its last insert ClickHouse would make one part of it, as it is of no day
	// that events still come in for.
	for day := range numberOfDays {
		whole := part{first: uint64(day) * perDay, count: perDay, from: start.AddDate(0, 0, day), isLast: day == numberOfDays-1, sources: strings.Join(sources, ",")}
		whole.until = whole.from.AddDate(0, 0, 1)
		size := uint64(oldRows)
		if whole.isLast {
			whole.count, whole.until, size = rows-whole.first, time.Now(), lastRows
		}
		for _, part := range whole.cut(size) {
			if day >= missing {
				err = part.write(settlingCtx, conn)
			}
			if err != nil {
				return errors.Join(settling.Wait(), err)
			}
			_ = bar.Add64(int64(part.count))
		}
		settling.Go(func() error { return whole.settle(settlingCtx, conn) })
	}
	if err := settling.Wait(); err != nil {
		return err
	}
	fmt.Printf("filled in %s\n", time.Since(began).Round(time.Second))
	return nil
}

// part is the events of some time, and what followed from them.
type part struct {
	first, count uint64
	from, until  time.Time
	isLast       bool   // of the last day
	sources      string // IDs, commas between them
}

// cut returns the same in parts of at most size events.
func (p part) cut(size uint64) []part {
	count := (p.count + size - 1) / size
	var parts []part
	for i := range count {
		at := func(n uint64) time.Time {
			return p.from.Add(p.until.Sub(p.from) * time.Duration(n) / time.Duration(count))
		}
		first, next := p.first+p.count*i/count, p.first+p.count*(i+1)/count
		parts = append(parts, part{first, next - first, at(i), at(i + 1), p.isLast, p.sources})
	}
	return parts
}

func (p part) write(ctx context.Context, conn driver.Conn) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time": 600, "min_insert_block_size_rows": oldRows, "min_insert_block_size_bytes": 0, "max_insert_threads": 2,
	}))
	args := []any{
		clickhouse.Named("first", p.first), clickhouse.Named("count", p.count),
		clickhouse.Named("from", p.from.UnixMilli()), clickhouse.Named("span", p.until.UnixMilli()-p.from.UnixMilli()),
		clickhouse.Named("sources", p.sources),
	}
	for _, name := range []string{"events", "repeats", "decisions", "runs", "deliveries"} {
		if name == "repeats" && !p.isLast {
			continue // they have been merged since
		}
		sql, err := statements.ReadFile(name + ".sql")
		if err != nil {
			return err
		}
		if err := conn.Exec(ctx, string(sql), args...); err != nil {
			return fmt.Errorf("filling %s of %s: %w", name, p.from.Format(time.DateOnly), err)
		}
	}
	return nil
}

// settle makes one part of a day that is over, as ClickHouse does an hour after its last insert.
func (p part) settle(ctx context.Context, conn driver.Conn) error {
	if p.isLast {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": 3000, "optimize_skip_merged_partitions": 1}))
	for _, table := range tables() {
		sql := "OPTIMIZE TABLE " + table + " PARTITION " + p.from.Format(partition) + " FINAL"
		if err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("merging %s of %s: %w", table, p.from.Format(time.DateOnly), err)
		}
	}
	return nil
}
