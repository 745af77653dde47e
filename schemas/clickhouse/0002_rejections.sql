-- One row per refused request that was logged.
CREATE TABLE IF NOT EXISTS rejections
(
    rejection_id UUID,
    rejected_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    source_id    LowCardinality(String),
    environment  LowCardinality(String),
    status_code  UInt16,
    code         LowCardinality(String),
    message      String CODEC(ZSTD),
    field        LowCardinality(String),
    body         String CODEC(ZSTD),
    topic        LowCardinality(String),
    partition    Int32,
    offset       Int64 CODEC(Delta, ZSTD),

    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(rejected_at)
-- The hour first, as in events: "what was refused lately at this source". The place in Kafka ends the key: each record is a refusal of its own.
ORDER BY (toStartOfHour(rejected_at), environment, source_id, rejected_at, topic, partition, offset)
TTL toDateTime(rejected_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
