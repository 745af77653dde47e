-- One row per workflow run that a trigger started.
CREATE TABLE IF NOT EXISTS runs
(
    run_id           UUID,
    environment      LowCardinality(String),
    source_id        LowCardinality(String),
    workflow         LowCardinality(String),
    trigger_id       LowCardinality(String),
    trigger_revision Int64,
    event_id         UUID,
    received_at      DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    created_at       DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    replay_id        String CODEC(ZSTD),
    recipient_ids    Array(String) CODEC(ZSTD),
    tenant           String CODEC(ZSTD),
    cancellation_key String CODEC(ZSTD),
    request          String CODEC(ZSTD),
    topic            LowCardinality(String),
    partition        Int32,
    offset           Int64 CODEC(Delta, ZSTD),

    INDEX run_id_bloom run_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX recipient_ids_bloom recipient_ids TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- The time of the event, not of the run: a run that is made again must land in the same partition.
PARTITION BY toYYYYMMDD(received_at)
-- The hour first, as in events. The run ID ends the key: it is the identity.
ORDER BY (toStartOfHour(received_at), environment, source_id, received_at, run_id)
TTL toDateTime(received_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    -- As in events.
    merge_selector_base = 10
