-- One row per accepted event.
CREATE TABLE IF NOT EXISTS events
(
    event_id     UUID,
    source_id    LowCardinality(String),
    environment  LowCardinality(String),
    event        LowCardinality(String),
    message_id   String CODEC(ZSTD),
    user_id      String CODEC(ZSTD),
    anonymous_id String CODEC(ZSTD),
    timestamp    DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    received_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    body         String CODEC(ZSTD),
    notes        Array(String) CODEC(ZSTD),
    topic        LowCardinality(String),
    partition    Int32,
    offset       Int64 CODEC(Delta, ZSTD),

    -- One event, one person or one message is looked up in a few granules instead of a day.
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX message_id_bloom message_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id_bloom user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    -- The writer asks which offsets are there already; a duplicate names its first event by offset.
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- received_at never changes, so that two copies of one event always meet in one partition and collapse.
PARTITION BY toYYYYMMDD(received_at)
-- "The newest of this source" reads the end of one range. The event ID ends the key: it is the identity.
ORDER BY (environment, source_id, received_at, event_id)
TTL toDateTime(received_at) + INTERVAL 30 DAY
-- An offset is committed once its row is acknowledged, so an acknowledged row must survive a power failure.
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
