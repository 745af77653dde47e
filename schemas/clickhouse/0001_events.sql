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
    -- No path is a column of its own: hundreds of small files a part cost more than all the rest of a row, and a query that
    -- names a path reads as little without them.
    properties   JSON(max_dynamic_paths = 0) CODEC(ZSTD),
    notes        Array(String) CODEC(ZSTD),
    topic        LowCardinality(String),
    partition    Int32,
    offset       Int64 CODEC(Delta, ZSTD),

    -- One event, one person or one message is looked up in a few granules instead of a day.
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX message_id_bloom message_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id_bloom user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    -- A rare name is found without a look at the rest; a common one is in every granule anyway.
    INDEX event_set event TYPE set(256) GRANULARITY 1,
    -- Free text: the words of the body. A word that is in few events leaves out the other granules.
    INDEX body_words lower(body) TYPE tokenbf_v1(262144, 3, 0) GRANULARITY 1,
    -- The writer asks which offsets are there already; a duplicate names its first event by offset.
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- received_at never changes, so that two copies of one event always meet in one partition and collapse.
PARTITION BY toYYYYMMDD(received_at)
-- The hour comes first, so that parts overlap in the hours they share and nowhere else: FINAL has to merge only those.
-- Within an hour a source is one range. The event ID ends the key: it is the identity.
ORDER BY (toStartOfHour(received_at), environment, source_id, received_at, event_id)
TTL toDateTime(received_at) + INTERVAL 30 DAY
-- Once a partition has been left alone for an hour it becomes one part, in which FINAL has nothing left to do.
-- An offset is committed once its row is acknowledged, so an acknowledged row must survive a power failure.
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    -- A part is merged with more others at once, and so less often.
    merge_selector_base = 10,
    -- A block of a second's events is one file to write and to sync, not hundreds.
    min_bytes_for_wide_part = 134217728,
    -- How properties are laid out, which newer servers do by themselves.
    object_serialization_version = 'v3', object_shared_data_serialization_version = 'advanced',
    object_shared_data_serialization_version_for_zero_level_parts = 'map_with_buckets'
