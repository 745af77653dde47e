package main

import (
	"context"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

// output is the least that puts a message into Kafka and waits for all in-sync replicas, over the client that ingest and the
// prototype use, with the settings that they have.
type output struct {
	broker, topic string
	client        *kgo.Client
}

func outputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().Fields(
		service.NewStringField("broker"), service.NewStringField("topic"), service.NewOutputMaxInFlightField())
}

func newOutput(config *service.ParsedConfig, _ *service.Resources) (service.Output, int, error) {
	o := &output{}
	var err error
	if o.broker, err = config.FieldString("broker"); err != nil {
		return nil, 0, err
	}
	if o.topic, err = config.FieldString("topic"); err != nil {
		return nil, 0, err
	}
	inFlight, err := config.FieldMaxInFlight()
	return o, inFlight, err
}

// Connect implements service.Output.
func (o *output) Connect(context.Context) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(o.broker),
		kgo.DefaultProduceTopic(o.topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.ProducerLinger(5*time.Millisecond),
	)
	o.client = client
	return err
}

// Write implements service.Output: it returns once the message is acknowledged.
func (o *output) Write(ctx context.Context, message *service.Message) error {
	value, err := message.AsBytes()
	if err != nil {
		return err
	}
	acknowledged := make(chan error, 1)
	o.client.Produce(ctx, kgo.SliceRecord(value), func(_ *kgo.Record, err error) { acknowledged <- err })
	return <-acknowledged
}

// Close implements service.Output.
func (o *output) Close(context.Context) error {
	o.client.Close()
	return nil
}
