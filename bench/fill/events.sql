-- Events: 200 names and 200,000 users, few of them frequent, some sources, two environments. The times lie at equal
-- distances; all else is a hash of the number, so that a second run writes the same.
INSERT INTO events (event_id, source_id, environment, event, message_id, user_id, timestamp, received_at, body, properties, topic, partition, offset)
WITH
    splitByChar(',', {sources:String}) AS sources,
    [
        'alpha', 'amber', 'anchor', 'apple', 'arrow', 'atlas', 'basil', 'beacon', 'berry', 'birch', 'bloom', 'brook', 'canyon', 'cedar',
        'chalk', 'cinder', 'cloud', 'clover', 'cobalt', 'copper', 'coral', 'cotton', 'crane', 'crest', 'crystal', 'daisy', 'dawn', 'delta',
        'dune', 'eagle', 'ember', 'fable', 'falcon', 'fern', 'flint', 'forest', 'frost', 'garnet', 'ginger', 'glacier', 'granite', 'grove',
        'harbor', 'hazel', 'heron', 'hollow', 'indigo', 'iris', 'ivory', 'jade', 'jasper', 'juniper', 'kestrel', 'lagoon', 'lantern', 'larch',
        'laurel', 'lemon', 'lilac', 'linen', 'lotus', 'lunar', 'maple', 'marble', 'marsh', 'meadow', 'mint', 'mist', 'moss', 'nectar',
        'nickel', 'oak', 'ocean', 'olive', 'onyx', 'opal', 'orchid', 'otter', 'pearl', 'pebble', 'pepper', 'pine', 'plum', 'poppy',
        'prairie', 'quartz', 'quill', 'raven', 'reef', 'river', 'robin', 'ruby', 'saffron', 'sage', 'sand', 'shale', 'silver', 'slate',
        'sparrow', 'spruce', 'stone', 'summit', 'thistle', 'timber', 'topaz', 'tulip', 'valley', 'velvet', 'violet', 'walnut', 'willow', 'winter',
        'zephyr'
    ] AS words,
    [
        'Order', 'Cart', 'Checkout', 'Product', 'Payment', 'Account', 'Invoice', 'Coupon', 'Review', 'Search', 'Session', 'Email', 'Message', 'Team',
        'Project', 'Report', 'File', 'Device', 'Plan', 'Trial'
    ] AS things,
    [
        'Completed', 'Viewed', 'Updated', 'Started', 'Created', 'Removed', 'Shared', 'Failed', 'Opened', 'Clicked'
    ] AS verbs,
    cityHash64(number) AS h, cityHash64(number, 1) AS h1, cityHash64(number, 2) AS h2, cityHash64(number, 3) AS h3,
    fromUnixTimestamp64Milli({from:Int64} + intDiv(toInt64(number - {first:UInt64}) * {span:Int64}, toInt64({count:UInt64})), 'UTC') AS at,
    toUInt32(floor(exp((h1 % 1000000) / 1000000 * log(200)))) - 1 AS rank,
    concat(things[rank % 20 + 1], ' ', verbs[intDiv(rank, 20) + 1]) AS name,
    concat('u-', toString(toUInt32(pow((h2 % 1000000) / 1000000, 3) * 200000))) AS user,
    concat(
        '{"order_id":"ord_', lower(hex(h2)), '","total":', toString((h3 % 50000) / 100), ',"quantity":', toString(h3 % 7),
        ',"currency":"', ['EUR', 'USD', 'GBP', 'SEK', 'CHF', 'JPY'][h3 % 6 + 1], '","plan":"', ['free', 'team', 'business'][h2 % 3 + 1],
        '","items":[{"sku":"SKU-', toString(h2 % 5000), '","price":', toString((h2 % 9000) / 100), ',"quantity":1},{"sku":"SKU-',
        toString(h3 % 5000), '","price":', toString((h1 % 9000) / 100), ',"quantity":2}]',
        if(h3 % 10 = 0, concat(',"coupon":"', upper(words[h2 % 120 + 1]), toString(h3 % 100), '"'), ''),
        ',"field_', toString(rank % 40), '":', toString(h1 % 1000), ',"flag_', toString(rank % 15), '":', if(h1 % 2 = 0, 'true', 'false'),
        ',"address":{"city":"', words[h1 % 120 + 1], '","zip":"', toString(h1 % 90000 + 10000), '"}',
        ',"note":"', words[h % 120 + 1], ' ', words[h1 % 120 + 1], ' ', words[h2 % 120 + 1], ' ', words[h3 % 120 + 1], ' ', words[(h + h1) % 120 + 1], '"}'
    ) AS data,
    concat(
        '{"type":"track","messageId":"', lower(hex(h)), '","event":"', name, '","userId":"', user, '","timestamp":"',
        formatDateTime(at, '%Y-%m-%dT%H:%i:%S.123Z'), '","properties":', data, ',"context":{"ip":"10.', toString(h1 % 256), '.', toString(h2 % 256),
        '.', toString(h3 % 256), '","library":{"name":"analytics-node","version":"3.1.', toString(h % 4), '"},"page":{"url":"https://shop.example.com/',
        lower(things[rank % 20 + 1]), '/', toString(h2 % 1000), '"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12',
        toString(h1 % 10), '.0 Safari/537.36"}}'
    ) AS body
SELECT
    toUUID(concat(substring(hex(toUnixTimestamp64Milli(at)), -12), '7', substring(leftPad(hex(h), 16, '0'), 1, 3), '8', substring(leftPad(hex(h), 16, '0'), 4, 3), leftPad(hex(number), 12, '0'))),
    sources[h3 % length(sources) + 1], if(h % 10 = 0, 'development', 'production'), name, lower(hex(h)), user, at, at, body, data,
    'millrace.events', number % 6, intDiv(number, 6)
FROM numbers_mt({first:UInt64}, {count:UInt64})
