package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace/millrace/bench/fill"
	"github.com/millrace/millrace/embedded/chdb"
	"github.com/millrace/millrace/eventlog"
)

// fill writes the event log where `millrace dev` keeps its own; that one's is read-only to others.
func (s settings) fill(ctx context.Context, sources []string) error {
	library, err := chdb.Locate(ctx, chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: s.library})
	if err != nil {
		return err
	}
	engine, err := chdb.Start(ctx, chdb.Options{
		LibPath: library, Path: filepath.Join(s.dir, "clickhouse"), MaxServerMemoryUsage: 4 << 30,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	defer engine.Close()
	conn, err := eventlog.Connect(ctx, eventlog.Config{
		DSN: "http://embedded:8123?read_timeout=10m", DialContext: engine.DialContext,
		Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Second},
	})
	if err != nil {
		return fmt.Errorf("connecting to ClickHouse: %w", err)
	}
	defer conn.Close()
	return fill.Log(ctx, conn, s.rows, sources)
}
