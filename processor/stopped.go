package processor

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// stoppedPartitions are the partitions of the events topic that cannot be read on without a decision that is not ours:
// to go on means to lose events or to take old ones for new. The other partitions go on.
type stoppedPartitions struct {
	topic  string
	logger *slog.Logger

	mu      sync.Mutex // guards the fields below
	reasons map[int32]string
	before  map[int32]int64 // of those that are stopped in front of a record of another version, its offset
	topicID [16]byte        // of the topic whose offsets and keys this process remembers; zero before the first assignment
}

func newStoppedPartitions(topic string, logger *slog.Logger) *stoppedPartitions {
	return &stoppedPartitions{topic: topic, logger: logger, reasons: map[int32]string{}, before: map[int32]int64{}}
}

// errRecreated says that the topic is not the one that this process has read from so far.
var errRecreated = errors.New("the topic was deleted and created again")

// isFinal tells the errors of a partition that trying again does not mend.
func isFinal(err error) bool {
	var lost *kgo.ErrDataLoss
	var large *kgo.ErrDecompressTooLarge
	return errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID) ||
		errors.Is(err, errRecreated) || schemas.IsOtherVersion(err) || errors.As(err, &lost) || errors.As(err, &large)
}

// isPassing tells the errors that the client itself goes on to mend.
func isPassing(err error) bool {
	var group *kgo.ErrGroupSession
	return !errors.As(err, &group) && kerr.IsRetriable(err)
}

// advice says what a person can do about a partition that stopped.
func advice(err error) string {
	switch {
	case schemas.IsOtherVersion(err):
		return "nothing is lost: a process of the version that wrote it goes on where this one stopped"
	case errors.Is(err, kerr.OffsetOutOfRange):
		return "Kafka no longer has the next event: with the processors stopped, set the group's offset to where to go on (kafka-consumer-groups --reset-offsets), then start them; what lies between is lost"
	case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID), errors.Is(err, errRecreated):
		return "the topic was deleted and created again: start the processor anew to read the new one from its beginning; the dedup windows start anew, too"
	}
	var large *kgo.ErrDecompressTooLarge
	if errors.As(err, &large) {
		return "a batch is too large to read: set the group's offset behind it, then start the processor anew"
	}
	return "the brokers lost events: see what they have, set the group's offset to where to go on, then start the processor anew"
}

// stop marks a partition as stopped and says so once.
func (s *stoppedPartitions) stop(partition int32, err error) {
	s.mu.Lock()
	_, known := s.reasons[partition]
	if !known {
		s.reasons[partition] = fmt.Sprintf("%v: %s", err, advice(err))
	}
	s.mu.Unlock()
	if !known {
		s.logger.Error("a partition cannot be read on and is stopped until this process is started anew; the others go on",
			"topic", s.topic, "partition", partition, "error", err, "what_to_do", advice(err))
	}
}

// checkTopic notices that the topic was created again even where the client, being new, cannot: offsets and keys that
// this process remembers belong to the old one. The session must end without a commit, so that what it has polled of
// the new topic stays unread.
func (s *stoppedPartitions) checkTopic(fetches kgo.Fetches) error {
	found := false
	for i := range fetches {
		for j := range fetches[i].Topics {
			topic := &fetches[i].Topics[j]
			if topic.Topic != s.topic || s.isSame(topic.TopicID) {
				continue
			}
			for _, partition := range topic.Partitions {
				found = true
				s.stop(partition.Partition, errRecreated)
			}
		}
	}
	if found {
		return fmt.Errorf("reading %s: %w", s.topic, errRecreated)
	}
	return nil
}

// isSame reports whether the topic of this ID is the one that this process has read from so far, as far as brokers tell.
func (s *stoppedPartitions) isSame(topicID [16]byte) bool {
	if topicID == [16]byte{} {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topicID == [16]byte{} {
		s.topicID = topicID
	}
	return s.topicID == topicID
}

func (s *stoppedPartitions) list() map[int32]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.reasons)
}

// partitions returns the stopped partitions as the client wants them for a pause.
func (s *stoppedPartitions) partitions() map[string][]int32 {
	stopped := slices.Collect(maps.Keys(s.list()))
	if len(stopped) == 0 {
		return nil
	}
	return map[string][]int32{s.topic: stopped}
}
