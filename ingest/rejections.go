package ingest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// rejections logs refused requests. It never waits: beyond its rate, or when the buffer towards Kafka is full, a
// refusal is counted instead, and the count is written to the process's log from time to time.
type rejections struct {
	client  *kgo.Client
	topic   string
	limit   *rate.Limiter
	dropped atomic.Int64
	report  rate.Sometimes
	logger  *slog.Logger
}

// reportEvery is how often dropped rejections are mentioned at most.
const reportEvery = 10 * time.Second

func newRejections(config Config, cluster kafka.Config, client *kgo.Client, logger *slog.Logger) *rejections {
	perSecond := config.RejectionsPerSecond
	return &rejections{
		client: client, topic: cluster.Topic(schemas.RejectionsTopic), limit: rate.NewLimiter(rate.Limit(perSecond), 2*perSecond),
		report: rate.Sometimes{Interval: reportEvery}, logger: logger,
	}
}

// log writes a refusal, with the beginning of the body, which it copies.
func (r *rejections) log(endpoint catalog.Endpoint, refused *refusal, body []byte, at time.Time) {
	if !r.limit.Allow() {
		r.drop()
		return
	}
	id, err := uuid.NewV7()
	if err != nil {
		r.drop()
		return
	}
	value, err := schemas.Encode(schemas.Rejection{
		Schema: schemas.Version, ID: id.String(), RejectedAt: at, SourceID: endpoint.SourceID, Environment: endpoint.Environment,
		StatusCode: refused.status, Code: string(refused.Code), Message: refused.Message, Field: refused.Field,
		Body: bytes.Clone(body[:min(len(body), schemas.RejectionBodyLimit)]),
	})
	if err != nil {
		r.drop()
		return
	}
	record := &kgo.Record{Topic: r.topic, Key: []byte(endpoint.SourceID), Value: value, Timestamp: at}
	r.client.TryProduce(context.Background(), record, func(_ *kgo.Record, err error) {
		if err != nil {
			r.drop()
		}
	})
}

func (r *rejections) drop() {
	r.dropped.Add(1)
	r.report.Do(func() {
		r.logger.Warn("refused requests came faster than they are logged", "not_logged", r.dropped.Swap(0))
	})
}

// flushTimeout bounds how long the last rejections may take at shutdown.
const flushTimeout = time.Second

// flush waits until what was logged is in Kafka.
func (r *rejections) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := r.client.Flush(ctx); err != nil {
		return fmt.Errorf("storing the last refusals: %w", err)
	}
	return nil
}
