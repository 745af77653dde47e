package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/telemetry"
)

// failingFor is how long ingest counts as not ready after Kafka has failed to take an event, unless it takes one before.
// Then events may show whether it does again.
const failingFor = 10 * time.Second

// Readiness says whether an event that is posted now would be answered 204: the catalog has been read, the brokers answer
// and some partition of the events has a leader, Kafka has not just failed to take an event, and ingest is not about to end. Partitions without a
// leader are warned of: events that belong there are answered 503, the others are stored.
func (i *Ingest) Readiness(ctx context.Context) telemetry.Readiness {
	if !i.isServing.Load() {
		return telemetry.WaitingFor("the catalog is being read, or the process ends")
	}
	if at := i.failing.Load(); at != 0 && time.Since(time.Unix(0, at)) < failingFor {
		return telemetry.WaitingFor("Kafka does not acknowledge events")
	}
	partitions, err := i.partitions(ctx)
	if err != nil {
		return telemetry.WaitingFor(fmt.Sprintf("asking Kafka for %s: %v", i.topic, err))
	}
	warnings := i.catalog.Snapshot().WaitingFor() // the endpoints that are known go on
	leaderless := 0
	for _, partition := range partitions {
		if partition.Leader < 0 {
			leaderless++
			warnings = append(warnings, fmt.Sprintf("partition %d of %s has no leader; its events are answered 503", partition.Partition, i.topic))
		}
	}
	if leaderless == len(partitions) {
		return telemetry.WaitingFor(fmt.Sprintf("no partition of %s has a leader", i.topic))
	}
	return telemetry.Readiness{Ready: true, Warnings: warnings}
}

// partitions asks a broker, and not what the client remembers.
func (i *Ingest) partitions(ctx context.Context) ([]kmsg.MetadataResponseTopicPartition, error) {
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = kmsg.StringPtr(i.topic)
	request.Topics = append(request.Topics, asked)
	answer, err := request.RequestWith(ctx, i.client)
	if err != nil {
		return nil, err
	}
	if len(answer.Topics) != 1 {
		return nil, errors.New("no answer about it")
	}
	return answer.Topics[0].Partitions, kerr.ErrorForCode(answer.Topics[0].ErrorCode)
}
