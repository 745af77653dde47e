package processor_test

import (
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// TestTransactionLeftByAKilledProcessorDelaysNothing would wait for the broker's transaction timeout otherwise, which is
// longer than the test's patience.
func TestTransactionLeftByAKilledProcessorDelaysNothing(t *testing.T) {
	w := newWorld(t)
	w.trigger(nil)
	ids := w.post(event{messageID: "m1"}, event{messageID: "m2"})
	w.leaveTransaction()
	w.run(processor.ExactlyOnce)
	w.requireStatus(ids, schemas.Processed, schemas.Processed)
}

// leaveTransaction begins to commit as a processor of this host does, and ends there.
func (w *world) leaveTransaction() {
	w.t.Helper()
	host, err := os.Hostname()
	if err != nil {
		w.t.Fatal(err)
	}
	id, group := w.config.Group("processor")+"."+host, w.config.Group("processor")
	client, err := kgo.NewClient(append(w.config.Options(), kgo.TransactionalID(id))...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	producer, epoch, err := client.ProducerID(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	adding := kmsg.NewPtrAddOffsetsToTxnRequest()
	adding.TransactionalID, adding.ProducerID, adding.ProducerEpoch, adding.Group = id, producer, epoch, group
	added, err := adding.RequestWith(w.t.Context(), client)
	if err != nil || added.ErrorCode != 0 {
		w.t.Fatal(err, kerr.ErrorForCode(added.ErrorCode))
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group = id, producer, epoch, group
	commit.Topics = append(commit.Topics, w.eventsAtOne(client))
	committed, err := commit.RequestWith(w.t.Context(), client)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, partition := range committed.Topics[0].Partitions {
		if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
			w.t.Fatal(err)
		}
	}
}

// eventsAtOne is the offset 1 in each partition of the events.
func (w *world) eventsAtOne(client *kgo.Client) kmsg.TxnOffsetCommitRequestTopic {
	w.t.Helper()
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = w.config.Topic(schemas.EventsTopic)
	details, err := kadm.NewClient(client).ListTopics(w.t.Context(), topic.Topic)
	if err != nil {
		w.t.Fatal(err)
	}
	topic.TopicID = details[topic.Topic].ID // what newer brokers go by
	for partition := range int32(w.config.Topics.Partitions) {
		offset := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		offset.Partition, offset.Offset = partition, 1
		topic.Partitions = append(topic.Partitions, offset)
	}
	return topic
}
