-- One row per time that a run was given up. What is in it is enough to send the run again.
CREATE TABLE IF NOT EXISTS dead_letters
(
    run_id             UUID,
    event_id           UUID,
    environment        LowCardinality(String),
    source_id          LowCardinality(String),
    workflow           LowCardinality(String),
    trigger_id         LowCardinality(String),
    trigger_revision   Int64,
    received_at        DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    created_at         DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    replay_id          String CODEC(ZSTD),
    error              String CODEC(ZSTD),
    status_code        UInt16,
    response           String CODEC(ZSTD),
    first_attempted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    last_attempted_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    attempt            UInt32,
    attempts           Nested
    (
        attempt      UInt32,
        attempted_at DateTime64(3, 'UTC'),
        latency_ms   Float64,
        status_code  UInt16,
        error        String
    ),
    key                String CODEC(ZSTD),
    request            String CODEC(ZSTD),
    topic              LowCardinality(String),
    partition          Int32,
    offset             Int64 CODEC(Delta, ZSTD),

    INDEX run_id_bloom run_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(last_attempted_at)
-- "What died lately" reads the end. The place in Kafka ends the key: a run that was sent again can die again, and what
-- became of it since is read from the deliveries, never written here.
ORDER BY (last_attempted_at, run_id, topic, partition, offset)
TTL toDateTime(last_attempted_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
