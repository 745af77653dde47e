// Package telemetry makes the logger that every role is given, and the listener on which a process tells its health and its metrics. Logs
// go to one writer, as text for people or as JSON for machines, and carry IDs, never payloads or secrets. Kafka clients
// log through the same logger, one level quieter.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says what is logged and how.
type Config struct {
	Level  string `help:"Least severe level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info"`
	Format string `help:"Form of a log line: ${enum}." enum:"text,json" default:"text"`
}

// NewLogger returns a logger that writes to out. It fails on an unknown level or format.
func NewLogger(config Config, out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(config.Level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", config.Level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch config.Format {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	}
	return nil, fmt.Errorf("log format %q: use text or json", config.Format)
}

// KafkaLogger makes a Kafka client log its warnings and errors to logger. What a client calls information (each
// connection, each rebalance step) appears at level debug only.
func KafkaLogger(logger *slog.Logger) kgo.Opt { return kgo.WithLogger(kafkaLogger{logger}) }

type kafkaLogger struct{ logger *slog.Logger }

func (l kafkaLogger) Level() kgo.LogLevel {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l kafkaLogger) Log(level kgo.LogLevel, message string, keyvals ...any) {
	switch level {
	case kgo.LogLevelError:
		l.logger.Error("kafka: "+message, keyvals...)
	case kgo.LogLevelWarn:
		l.logger.Warn("kafka: "+message, keyvals...)
	case kgo.LogLevelInfo, kgo.LogLevelDebug, kgo.LogLevelNone:
		l.logger.Debug("kafka: "+message, keyvals...)
	}
}
