-- A decision about each event: one in a hundred is a repeat, some have no trigger, the others one or two.
INSERT INTO decisions (event_id, source_id, environment, event, status, duplicate_of_partition, duplicate_of_offset, input_partition, input_offset,
    received_at, decided_at, triggers.trigger_id, triggers.revision, triggers.workflow, triggers.outcome, triggers.reason, triggers.run_id,
    topic, partition, offset)
WITH
    cityHash64(event_id) AS h,
    multiIf(h % 100 = 0, 'duplicate', h % 100 < 30, 'no_trigger', h % 1000 = 999, 'failed', 'processed') AS status,
    if(status IN ('duplicate', 'no_trigger'), [], if(h % 4 = 0, [0, 1], [0])) AS asked,
    arrayMap(i -> multiIf(status = 'failed', 'condition_error', (intDiv(h, 8) + i) % 2 = 0, 'matched', 'condition_false'), asked) AS outcomes
SELECT event_id, source_id, environment, event, status, if(status = 'duplicate', partition, -1), if(status = 'duplicate', offset - 1, -1), partition, offset,
    received_at, received_at + toIntervalMillisecond(20 + h % 60),
    arrayMap(i -> concat('trg_', toString(cityHash64(event, i) % 400)), asked), arrayMap(i -> 3, asked),
    arrayMap(i -> concat('workflow-', toString(cityHash64(event, i) % 40)), asked), outcomes,
    arrayMap(o -> if(o = 'condition_false', 'the condition is false', ''), outcomes),
    arrayMap((i, o) -> if(o = 'matched', reinterpret(sipHash128(event_id, i), 'UUID'), toUUID('00000000-0000-0000-0000-000000000000')), asked, outcomes),
    'millrace.decisions', partition, offset
FROM events FINAL WHERE received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND received_at < fromUnixTimestamp64Milli({from:Int64} + {span:Int64}, 'UTC')
