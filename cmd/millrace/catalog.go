package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
)

// catalogConfig holds the settings of whoever changes the catalog.
type catalogConfig struct {
	Key string `help:"Where the key is that endpoint keys are sealed with in the catalog, env:NAME or file:PATH: 32 random bytes in base64. Without one they are stored as they are. Keep it: a sealed key cannot be shown without it, though events are still taken." placeholder:"REF"`
}

// openWriter returns a writer, and the keys it seals with, on top of a reader that is running. Close the writer after use.
func openWriter(ctx context.Context, config catalogConfig, cluster kafka.Config, reader *catalog.Reader, isSingle bool, logger *slog.Logger) (*catalog.Writer, *catalog.Keys, error) {
	keys, err := catalog.NewKeys(config.Key)
	if err != nil {
		return nil, nil, err
	}
	writer, err := catalog.NewWriter(cluster, reader, logger, catalog.WriterOptions{Keys: keys, SingleProcess: isSingle})
	if err != nil {
		return nil, nil, err
	}
	if err := writer.SealKeys(ctx); err != nil {
		writer.Close()
		return nil, nil, fmt.Errorf("sealing the endpoint keys in the catalog: %w", err)
	}
	return writer, keys, nil
}
