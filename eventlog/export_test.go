package eventlog

import (
	"context"
	"log/slog"
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
