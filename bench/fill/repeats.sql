-- One event in a hundred once more, as an insert without an answer leaves it.
INSERT INTO events
SELECT * FROM events
WHERE cityHash64(event_id, 'again') % 100 = 0
    AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND received_at < fromUnixTimestamp64Milli({from:Int64} + {span:Int64}, 'UTC')
