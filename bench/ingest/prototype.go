package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// servePrototype is the least that takes JSON over HTTP into Kafka: a validity check, one produce per request, awaited.
// It is the yardstick: what ingest does beyond it is what ingest costs. Its records have no key, so that the client fills one
// partition after the other with large writes. With keys they are spread over all of them, as ingest's are: equal message IDs
// have to meet. What that costs, client and broker pay in smaller writes.
func servePrototype(ctx context.Context, cluster kafka.Config, listener net.Listener, hasKeys bool) error {
	seed := maphash.MakeSeed()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(cluster.Brokers...),
		kgo.DefaultProduceTopic(cluster.Topic(schemas.EventsTopic)),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.ProducerLinger(5*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/", func(c *fiber.Ctx) error {
		if !json.Valid(c.Body()) {
			return c.SendStatus(fiber.StatusBadRequest)
		}
		acknowledged := make(chan error, 1)
		record := kgo.SliceRecord(bytes.Clone(c.Body()))
		if hasKeys {
			record.Key = binary.BigEndian.AppendUint64(nil, maphash.Bytes(seed, record.Value))
		}
		client.Produce(ctx, record, func(_ *kgo.Record, err error) { acknowledged <- err })
		if err := <-acknowledged; err != nil {
			return c.SendStatus(fiber.StatusServiceUnavailable)
		}
		return c.SendStatus(fiber.StatusNoContent)
	})
	context.AfterFunc(ctx, func() { _ = app.Shutdown() }) // the listener is all that it closes
	announce(listener, "/")
	return app.Listener(listener)
}
