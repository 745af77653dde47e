-- One attempt a run, and for some a second one; a few are given up.
INSERT INTO deliveries (run_id, event_id, environment, workflow, attempt, outcome, attempted_at, latency_ms, status_code, error, workflow_run_id,
    topic, partition, offset)
WITH cityHash64(run_id) AS h, multiIf(h % 50 = 0 AND attempt = 1, 'retrying', h % 200 = 0, 'dead', 'delivered') AS outcome
SELECT run_id, event_id, environment, workflow, attempt, outcome, created_at + toIntervalMillisecond(10 + h % 40 + (attempt - 1) * 1000),
    5 + pow((h % 1000) / 1000, 8) * 2000, multiIf(outcome = 'delivered', 200, outcome = 'dead', 422, 503), if(outcome = 'delivered', '', 'the workflow API refused'),
    if(outcome = 'delivered', toString(run_id), ''), 'millrace.deliveries', partition, offset * 2 + attempt - 1
FROM runs
ARRAY JOIN if(cityHash64(run_id) % 50 = 0, [1, 2], [1]) AS attempt
WHERE received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND received_at < fromUnixTimestamp64Milli({from:Int64} + {span:Int64}, 'UTC')
