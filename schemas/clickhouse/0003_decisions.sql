-- One row per event that the processor decided about, and one per replay of it, with one array element per trigger it considered.
CREATE TABLE IF NOT EXISTS decisions
(
    event_id               UUID,
    source_id              LowCardinality(String),
    environment            LowCardinality(String),
    event                  LowCardinality(String),
    status                 LowCardinality(String),
    reason                 String CODEC(ZSTD),
    duplicate_of_partition Int32,
    duplicate_of_offset    Int64 CODEC(Delta, ZSTD),
    input_partition        Int32,
    input_offset           Int64 CODEC(Delta, ZSTD),
    received_at            DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    decided_at             DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    replay_id              String CODEC(ZSTD),
    triggers               Nested
    (
        trigger_id LowCardinality(String),
        revision   Int64,
        workflow   LowCardinality(String),
        outcome    LowCardinality(String),
        reason     String,
        run_id     UUID
    ),
    topic                  LowCardinality(String),
    partition              Int32,
    offset                 Int64 CODEC(Delta, ZSTD),

    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
-- Of several decisions about one event the latest stands; a decision that is taken twice is the same decision.
ENGINE = ReplacingMergeTree(decided_at)
-- The time of the event, not of the decision: a decision that is taken again must land in the same partition.
PARTITION BY toYYYYMMDD(received_at)
-- The order of the events table, so that a page of events and its decisions lie alike.
-- Live traffic and each replay decide about an event apart from one another.
ORDER BY (toStartOfHour(received_at), environment, source_id, received_at, event_id, replay_id)
TTL toDateTime(received_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    -- As in events.
    merge_selector_base = 10
