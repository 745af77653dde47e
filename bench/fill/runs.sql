-- The runs that triggers started.
INSERT INTO runs (run_id, environment, source_id, workflow, trigger_id, trigger_revision, event_id, received_at, created_at, recipient_ids, request,
    topic, partition, offset)
SELECT run, environment, source_id, workflow, trigger, 3, event_id, received_at, decided_at, [concat('u-', toString(cityHash64(event_id) % 200000))],
    concat('{"recipients":["u-', toString(cityHash64(event_id) % 200000), '"],"data":{"order_id":"ord_', lower(hex(cityHash64(run))), '","total":',
        toString(cityHash64(run) % 500), ',"currency":"EUR"}}'),
    'millrace.runs', partition, offset * 2 + number
FROM decisions
ARRAY JOIN triggers.run_id AS run, triggers.workflow AS workflow, triggers.trigger_id AS trigger, arrayEnumerate(triggers.run_id) AS number
WHERE run != toUUID('00000000-0000-0000-0000-000000000000')
    AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND received_at < fromUnixTimestamp64Milli({from:Int64} + {span:Int64}, 'UTC')
