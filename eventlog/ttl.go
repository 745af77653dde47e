package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// TTL says for how many days after the time that partitions a table its rows are kept.
type TTL struct {
	Events      int `help:"Days that events are kept." default:"30"`
	Rejections  int `help:"Days that refused requests are kept." default:"30"`
	Decisions   int `help:"Days that decisions are kept." default:"30"`
	Runs        int `help:"Days that runs are kept." default:"30"`
	Deliveries  int `help:"Days that delivery attempts are kept." default:"30"`
	DeadLetters int `help:"Days that dead letters are kept." default:"30"`
	Audit       int `help:"Days that changes of the catalog are kept." default:"365"`
	Quarantine  int `help:"Days that records without a place in their table are kept." default:"30"`
}

// maxDays is what ClickHouse can count from any time that a row may have.
const maxDays = 3650

// days returns the setting of each table.
func (t TTL) days() map[string]int {
	return map[string]int{
		"events": t.Events, "rejections": t.Rejections, "decisions": t.Decisions, "runs": t.Runs, "deliveries": t.Deliveries,
		"dead_letters": t.DeadLetters, "audit": t.Audit, "quarantine": t.Quarantine,
	}
}

func (t TTL) validate() error {
	var problems []error
	for table, days := range t.days() {
		if days < 1 || days > maxDays {
			problems = append(problems, fmt.Errorf("clickhouse ttl %s %d: must be 1 to %d days", table, days, maxDays))
		}
	}
	return errors.Join(problems...)
}

// apply changes the tables whose TTL is another one. ClickHouse goes over their rows in the background.
func (t TTL) apply(ctx context.Context, conn driver.Conn, config Config, log *slog.Logger) error {
	for table, days := range t.days() {
		has, err := readTTL(ctx, conn, config.local(table))
		if err != nil {
			return err
		}
		if has.days == days {
			continue
		}
		if err := conn.Exec(ctx, has.modify(config.local(table), days, config)); err != nil {
			return fmt.Errorf("changing the TTL of table %s: %w", table, err)
		}
		log.Info("TTL changed", "table", table, "from_days", has.days, "to_days", days)
	}
	return nil
}

// tableTTL is what a table says itself.
type tableTTL struct {
	column string // the time that is counted from
	days   int
}

// modify returns the statement that gives the table another number of days.
func (t tableTTL) modify(table string, days int, config Config) string {
	return fmt.Sprintf("ALTER TABLE %s%s MODIFY TTL toDateTime(%s) + INTERVAL %d DAY", table, config.onCluster(), t.column, days)
}

// readTTL asks for the TTL of a table, by the name that it has on the server.
func readTTL(ctx context.Context, conn driver.Conn, table string) (tableTTL, error) {
	var definition string
	err := conn.QueryRow(ctx, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {table:String}",
		driver.NamedValue{Name: "table", Value: table}).Scan(&definition)
	if err != nil {
		return tableTTL{}, fmt.Errorf("asking for the TTL of table %s: %w", table, err)
	}
	found := regexp.MustCompile(`TTL toDateTime\((\w+)\) \+ toIntervalDay\((\d+)\)`).FindStringSubmatch(definition)
	if found == nil {
		return tableTTL{}, fmt.Errorf("table %s has no TTL of the form toDateTime(COLUMN) + INTERVAL N DAY; give it one with ALTER TABLE ... MODIFY TTL", table)
	}
	days, err := strconv.Atoi(found[2])
	return tableTTL{column: found[1], days: days}, err
}
