-- One row per change of one thing of the catalog.
CREATE TABLE IF NOT EXISTS audit
(
    audit_id    UUID,
    change_id   UUID,
    at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    actor       LowCardinality(String),
    action      LowCardinality(String),
    kind        LowCardinality(String),
    resource_id String CODEC(ZSTD),
    name        String CODEC(ZSTD),
    revision    Int64,
    before      String CODEC(ZSTD),
    after       String CODEC(ZSTD),
    topic       LowCardinality(String),
    partition   Int32,
    offset      Int64 CODEC(Delta, ZSTD),

    INDEX resource_id_bloom resource_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX name_bloom name TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- Changes are few and kept long: a month is a partition.
PARTITION BY toYYYYMM(at)
-- "What changed lately" reads the end. The entry's ID ends the key: it is the identity.
ORDER BY (at, audit_id)
TTL toDateTime(at) + INTERVAL 365 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
