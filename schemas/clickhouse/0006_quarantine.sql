-- One row per Kafka record that has no place in its own table: it cannot be read, or ClickHouse refuses its row.
CREATE TABLE IF NOT EXISTS quarantine
(
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64 CODEC(Delta, ZSTD),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    reason      String CODEC(ZSTD),
    key         String CODEC(ZSTD),
    value       String CODEC(ZSTD),
    headers     Map(String, String) CODEC(ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(recorded_at)
-- The place in Kafka is all that is certain about such a record.
ORDER BY (topic, partition, offset)
TTL toDateTime(recorded_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
