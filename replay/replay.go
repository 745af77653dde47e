// Package replay lets events of the past go through triggers once more. It follows the catalog for replays, reads the
// events of their time from the topic and, where the topic no longer has them, from ClickHouse, asks the triggers through
// the same rules as the processor, and writes decisions and runs to a lane of their own. A replay is a consumer group:
// its processes share the partitions, and what is committed says how far it is and what it has done.
package replay

import (
	"context"
	"log/slog"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
)

// Replay is the role. One process runs one.
type Replay struct {
	config  Config
	kafka   kafka.Config
	catalog *catalog.Reader
	writer  *catalog.Writer
	log     *query.Log
	logger  *slog.Logger
}

// New returns the role on a catalog that is being read, with a writer on top of it.
func New(config Config, cluster kafka.Config, reader *catalog.Reader, writer *catalog.Writer, log *query.Log, logger *slog.Logger) (*Replay, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Replay{config: config, kafka: cluster, catalog: reader, writer: writer, log: log, logger: logger}, nil
}

// Run works on replays until ctx ends.
func (r *Replay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
