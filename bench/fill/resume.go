package fill

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// partition is how a day's partition is named.
const partition = "20060102"

func tables() []string { return []string{"events", "decisions", "runs", "deliveries"} }

// day is a day that there are events of.
type day struct {
	at   time.Time
	rows uint64
}

// days are those that there are events of, the first one first. An event that is there twice counts once.
func days(ctx context.Context, conn driver.Conn) ([]day, error) {
	rows, err := conn.Query(ctx, "SELECT toDateTime(toDate(received_at), 'UTC') AS day, count() FROM events FINAL GROUP BY day ORDER BY day")
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	var all []day
	for rows.Next() {
		var d day
		if err := rows.Scan(&d.at, &d.rows); err != nil {
			return nil, fmt.Errorf("counting events: %w", err)
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// isDone tells whether a log of so many events was filled, and refuses one that was filled for less.
func isDone(there []day, rows uint64) (bool, error) {
	var all uint64
	for _, d := range there {
		all += d.rows
	}
	if all > rows {
		return false, fmt.Errorf("there are %d events already, and %d are wanted: remove the directory to begin anew", all, rows)
	}
	if all < rows {
		return false, nil
	}
	fmt.Printf("%d events are there already\n", all)
	return true, nil
}

// resume drops the last day that there is, which may not be whole, and returns its number: it and those after it are missing.
func resume(ctx context.Context, conn driver.Conn, there []day, start time.Time) (int, error) {
	if len(there) == 0 {
		return 0, nil
	}
	first, last := there[0].at, there[len(there)-1].at
	if !first.Equal(start) {
		return 0, fmt.Errorf("filling was ended early on another day, with events from %s on: remove the directory to begin anew", first.Format(time.DateOnly))
	}
	for _, table := range tables() {
		if err := conn.Exec(ctx, "ALTER TABLE "+table+" DROP PARTITION ID '"+last.Format(partition)+"'"); err != nil {
			return 0, fmt.Errorf("dropping what is there of %s: %w", last.Format(time.DateOnly), err)
		}
	}
	fmt.Printf("filling was ended early; it goes on with %s\n", last.Format(time.DateOnly))
	return int(last.Sub(start) / (24 * time.Hour)), nil
}
