-- One row per attempt to start a run at the workflow API.
CREATE TABLE IF NOT EXISTS deliveries
(
    run_id          UUID,
    event_id        UUID,
    environment     LowCardinality(String),
    workflow        LowCardinality(String),
    attempt         UInt32,
    outcome         LowCardinality(String),
    attempted_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    latency_ms      Float64 CODEC(ZSTD),
    status_code     UInt16,
    error           String CODEC(ZSTD),
    response        String CODEC(ZSTD),
    workflow_run_id String CODEC(ZSTD),
    topic           LowCardinality(String),
    partition       Int32,
    offset          Int64 CODEC(Delta, ZSTD),

    INDEX run_id_bloom run_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(attempted_at)
-- The hour first, as in events: "how does this workflow's API answer lately". The place in Kafka ends the key: an attempt that was made twice is two
-- attempts, and whoever counts runs counts distinct run IDs.
ORDER BY (toStartOfHour(attempted_at), environment, workflow, attempted_at, topic, partition, offset)
TTL toDateTime(attempted_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    -- As in events.
    merge_selector_base = 10
