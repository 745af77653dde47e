package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Resend puts the runs of dead letters into the runs topic again, under their IDs and with the same bytes, and returns
// when Kafka has them. Their age counts from now. A run that has been delivered since is not sent: the dispatcher knows
// it. Which runs are to be sent again is the caller's choice: see EachDeadLetter.
func Resend(ctx context.Context, cluster kafka.Config, letters ...schemas.DeadLetter) error {
	client, err := kgo.NewClient(append(cluster.Options(), kgo.ProducerBatchMaxBytes(1<<20))...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka to send runs again: %w", err)
	}
	defer client.Close()
	headers, err := schemas.RunHeaders[kgo.RecordHeader](schemas.RunMeta{Resent: time.Now()})
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for _, letter := range letters {
		value, err := schemas.Encode(letter.Run)
		if err != nil {
			return fmt.Errorf("run %s: %w", letter.Run.RunID, err)
		}
		records = append(records, &kgo.Record{
			Topic: cluster.Topic(schemas.RunsTopic), Key: []byte(letter.Key), Value: value, Headers: headers,
		})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("sending runs again: %w; some may have been, and to ask once more does no harm", err)
	}
	return nil
}

// EachDeadLetter calls visit with the dead letters that there are, in no particular order; a run that died again after
// it had been sent again comes once for each time. It ends early with the error that visit returns.
func EachDeadLetter(ctx context.Context, cluster kafka.Config, visit func(schemas.DeadLetter) error) error {
	client, err := kgo.NewClient(append(cluster.Options(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka to read dead letters: %w", err)
	}
	defer client.Close()
	missing, err := deadPartitions(ctx, client, cluster.Topic(schemas.DeadRunsTopic))
	if err != nil {
		return fmt.Errorf("asking for the dead letters: %w", err)
	}
	for len(missing) > 0 {
		fetches := client.PollFetches(ctx)
		for _, failed := range fetches.Errors() {
			return fmt.Errorf("reading dead letters: %w", failed.Err)
		}
		for _, record := range fetches.Records() {
			end, isMissing := missing[record.Partition]
			if !isMissing {
				continue // written since
			}
			letter, err := schemas.Decode[schemas.DeadLetter](record.Value)
			if err != nil {
				return fmt.Errorf("dead letter at %s partition %d offset %d: %w", record.Topic, record.Partition, record.Offset, err)
			}
			if err := visit(letter); err != nil {
				return err
			}
			if record.Offset+1 >= end {
				delete(missing, record.Partition)
			}
		}
	}
	return nil
}

// deadPartitions lets the client read each partition that has records, and returns where they end.
func deadPartitions(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	missing, from := map[int32]int64{}, map[int32]kgo.Offset{}
	var problems []error
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		problems = append(problems, end.Err, start.Err)
		if start.Offset < end.Offset {
			missing[end.Partition], from[end.Partition] = end.Offset, kgo.NewOffset().At(start.Offset)
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	return missing, errors.Join(problems...)
}
