package eventlog

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

// InsertEvents writes blocks of events as the role does once Kafka has given them.
func InsertEvents(ctx context.Context, conn driver.Conn, log *slog.Logger, blocks [][]*kgo.Record) error {
	lane := newLane(blocks[0][0].Topic, eventsTable())
	lane.partitions[0] = &partition{doubt: doubt{horizon: -1}}
	for _, block := range blocks {
		for _, record := range block {
			lane.add(record, time.Now())
		}
		if err := lane.settled(log); err != nil {
			return err
		}
		go lane.depart().write(ctx, conn, log)
	}
	return lane.settled(log)
}

// settled waits for the flight under way and tells how it ended.
func (l *lane) settled(log *slog.Logger) error {
	if l.flight == nil {
		return nil
	}
	l.await()
	if err := l.flight.err; err != nil {
		return err
	}
	l.arrive(log)
	return nil
}

// RebuildStatements returns the statements of a rebuild of a table.
func RebuildStatements(config Config, table string) ([]string, error) {
	create, err := config.fresh(table, mark{ID: "17", Stretches: []stretch{{Topic: `odd'\topic`, To: 5}}})
	if err != nil {
		return nil, err
	}
	swap, err := config.swap(table)
	all := slices.Concat(create, swap)
	all = append(all, config.drop(table, true)...)
	all = append(all, config.drop(table, false)...)
	return append(all, config.unmark(table)), err
}
