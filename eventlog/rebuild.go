package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
)

// Rebuilding says what is made anew.
type Rebuilding struct {
	Topics   []string  // the tables of these, named without the prefix; of all topics where there is none
	From     time.Time // older records of Kafka are not read again: their rows are taken from the old table; zero reads all
	Keep     bool      // keep the old tables
	Continue bool      // go on with what another process has left
}

// Rebuilt is what became of one table.
type Rebuilt struct {
	Table   string     `json:"table"`
	Records int64      `json:"records"` // read from Kafka before the tables were swapped
	Copied  int64      `json:"copied"`  // rows taken from the old table: Kafka does not have them any more
	Caught  int64      `json:"caught"`  // records looked at after the swap, because the event log was at work meanwhile
	Seconds float64    `json:"seconds"`
	Unknown int64      `json:"unknown"` // rows of the old table, in the range of what was read, that are not in Kafka
	Kept    string     `json:"kept"`    // the old table's name, where it was kept
	Proof   []Verified `json:"proof"`   // the new table compared with Kafka
}

// IsExact tells whether each record counts exactly once in the new table.
func (r Rebuilt) IsExact() bool {
	return !slices.ContainsFunc(r.Proof, func(v Verified) bool { return !v.IsExact() })
}

// RebuildProgress is told how Rebuild gets on.
type RebuildProgress struct {
	Step func(table, step string)
	Read func(offsets int64) // of Kafka
	Done func(Rebuilt)       // after each table
}

// Rebuild makes tables anew as the migrations say, fills them from Kafka, takes what Kafka no longer has from the old
// tables, and swaps the two. The event log may be writing meanwhile. Where Rebuild fails or its process ends, nothing is
// lost, and Continue takes it up. It fails where another rebuild works on a table.
func Rebuild(ctx context.Context, kafkaConfig kafka.Config, config Config, conn driver.Conn, what Rebuilding, progress RebuildProgress, log *slog.Logger) error {
	chosen, err := choose(what.Topics)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kafkaConfig.Options()...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka: %w", err)
	}
	defer client.Close()
	for done := make(map[string]bool); len(chosen) > 0; chosen = chosen[1:] {
		name := chosen[0].name
		if done[name] { // a table of two topics
			continue
		}
		done[name] = true
		r := &rebuild{
			config: config, kafka: kafkaConfig, conn: conn, admin: kadm.NewClient(client), log: log, what: what, progress: progress,
			name: name, began: time.Now(), Rebuilt: Rebuilt{Table: name},
		}
		if err := r.run(ctx); err != nil {
			return fmt.Errorf("rebuilding table %s: %w", name, err)
		}
		progress.Done(r.Rebuilt)
	}
	return nil
}

// rebuild is the work on one table.
type rebuild struct {
	Rebuilt
	config   Config
	kafka    kafka.Config
	conn     driver.Conn
	admin    *kadm.Client
	log      *slog.Logger
	what     Rebuilding
	progress RebuildProgress

	name  string
	began time.Time
	mark  mark
	ttl   tableTTL

	copied atomic.Int64 // rows; partitions are filled side by side
}

// fresh is the name of the other table: the new one before the swap, the old one after it.
func (r *rebuild) fresh() string { return r.name + freshSuffix }

// run goes through the steps. Each leaves a state that look understands, whenever it ends.
func (r *rebuild) run(ctx context.Context) error {
	found, err := look(ctx, r.conn, r.config, r.name)
	if err != nil {
		return err
	}
	if err := found.problem(r.name, r.what.Continue); err != nil {
		return err
	}
	if r.ttl, err = readTTL(ctx, r.conn, r.config.local(r.name)); err != nil {
		return err
	}
	if found.done != nil {
		r.mark = *found.done
	} else if err := r.replace(ctx, found.isFresh); err != nil {
		return err
	}
	if found.done == nil || found.isFresh { // else the old table is gone, and so it was proven that all is there
		if err := r.prove(ctx); err != nil {
			return err
		}
	}
	r.progress.Step(r.name, "finishing")
	if err := r.finish(ctx); err != nil {
		return err
	}
	r.Copied, r.Seconds = r.copied.Load(), time.Since(r.began).Seconds()
	return nil
}

// replace makes the new table, fills it, and puts it in the old one's place. What a rebuild that was broken off had filled
// is thrown away.
func (r *rebuild) replace(ctx context.Context, isLeft bool) error {
	r.progress.Step(r.name, "planning")
	if err := r.swappable(ctx); err != nil {
		return err
	}
	held, err := r.held(ctx)
	if err != nil {
		return err
	}
	if r.mark, err = r.plan(ctx, held); err != nil {
		return err
	}
	r.progress.Step(r.name, "creating")
	if isLeft {
		if err := define(ctx, r.conn, r.config.drop(r.name, false)...); err != nil {
			return err
		}
	}
	if err := r.create(ctx); err != nil {
		return err
	}
	r.progress.Step(r.name, "copying")
	if err := r.copyOlder(ctx, held); err != nil {
		return err
	}
	r.progress.Step(r.name, "filling")
	if err := r.fillFresh(ctx); err != nil {
		return err
	}
	r.progress.Step(r.name, "swapping")
	return r.swap(ctx)
}
