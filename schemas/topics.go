package schemas

import "time"

// Kind says how Kafka cleans a topic up.
type Kind string

const (
	// Stream is a topic whose records expire (cleanup.policy=delete).
	Stream Kind = "delete"
	// Table is a topic that keeps the last record of each key (cleanup.policy=compact).
	Table Kind = "compact"
)

// Topic describes one Kafka topic of the pipeline. Its name on the broker is the prefix setting followed by Name.
type Topic struct {
	Name       string        // without the prefix
	Kind       Kind          // delete or compact
	Partitions int           // 0: the partitions setting decides; 1: the topic needs a total order
	Retention  time.Duration // how long a Stream's records are kept at least; 0 for a Table
	Key        string        // what the record key is, for people
	Writer     string        // the role that writes it
	Readers    string        // the roles that read it
}

// Names of the topics, without the prefix.
const (
	EventsTopic     = "events"
	RejectionsTopic = "rejections"
	DecisionsTopic  = "decisions"
	ReplayedTopic   = "decisions.replay"
	RunsTopic       = "runs"
	ReplayRunsTopic = "runs.replay"
	DeliveriesTopic = "deliveries"
	DeadRunsTopic   = "runs.dead"
	RetryShortTopic = "runs.retry.1m"
	RetryLongTopic  = "runs.retry.10m"
	RetryLastTopic  = "runs.retry.1h"
	CatalogTopic    = "catalog"
	AuditTopic      = "audit"
)

// InputRetention is the least time events stay readable: the longest default dedup window (24 h) plus two days of
// outage, because the dedup index is rebuilt by reading the events again (reliability.md, section 4).
const InputRetention = 72 * time.Hour

// Topics lists every topic in the order of the pipeline.
func Topics() []Topic {
	return []Topic{
		{EventsTopic, Stream, 0, InputRetention, "16-byte hash of the dedup key, or of the event ID", "ingest", "processor, eventlog, replay"},
		{RejectionsTopic, Stream, 0, InputRetention, "source ID, may be empty", "ingest", "eventlog"},
		{DecisionsTopic, Stream, 0, InputRetention, "event ID", "processor", "eventlog"},
		{RunsTopic, Stream, 0, InputRetention, "environment and first recipient's ID", "processor", "dispatcher, eventlog"},
		{ReplayedTopic, Stream, 0, InputRetention, "event ID", "replay", "eventlog"},
		{ReplayRunsTopic, Stream, 0, InputRetention, "environment and first recipient's ID", "replay", "dispatcher, eventlog"},
		{DeliveriesTopic, Stream, 0, InputRetention, "run ID", "dispatcher", "dispatcher, eventlog"},
		{RetryShortTopic, Stream, 0, InputRetention, "environment and workflow", "dispatcher", "dispatcher"},
		{RetryLongTopic, Stream, 0, InputRetention, "environment and workflow", "dispatcher", "dispatcher"},
		{RetryLastTopic, Stream, 0, InputRetention, "environment and workflow", "dispatcher", "dispatcher"},
		{DeadRunsTopic, Stream, 0, 30 * 24 * time.Hour, "run ID", "dispatcher", "eventlog, operators"},
		{CatalogTopic, Table, 1, 0, "kind and ID", "api, replay", "every role"},
		{AuditTopic, Stream, 1, 30 * 24 * time.Hour, "kind and ID", "api, replay", "eventlog"},
	}
}

// RetryTier is a topic of runs that wait before they are tried again, all of them for the same time: so their due times
// ascend along a partition, and its first run tells how long to wait for all.
type RetryTier struct {
	Topic string
	Wait  time.Duration
}

// RetryTiers lists the tiers, the shortest first. A run that has to wait once more goes to the next, and stays in the
// last.
func RetryTiers() []RetryTier {
	return []RetryTier{{RetryShortTopic, time.Minute}, {RetryLongTopic, 10 * time.Minute}, {RetryLastTopic, time.Hour}}
}
