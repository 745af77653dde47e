package query_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// many is how many events the catalog is measured on.
const many = 10_000_000

// manyEvents writes them: four weeks of 200 names from three sources, one name of them rare, with bodies of 400 bytes
// that do not compress to nothing.
func manyEvents(b *testing.B) *story {
	b.Helper()
	s := newStory(b)
	err := s.conn.Exec(b.Context(), `
		INSERT INTO events (event_id, source_id, environment, event, message_id, user_id, timestamp, received_at, body, topic, partition, offset)
		SELECT generateUUIDv4(), 'src_' || toString(number % 3), if(number % 10 = 0, 'development', 'production'),
			if(number = 1234567, 'Rare', 'Event ' || toString(cityHash64(number) % 200)), toString(number), toString(number % 100000), at, at,
			concat('{"type":"track","event":"E","userId":"', toString(number), '","properties":{"total":', toString(cityHash64(number) % 1000),
				',"token":"', hex(randomString(60)), '","items":[{"sku":"A-1","price":10.5},{"sku":"', toString(number), '","price":3}]},',
				'"context":{"page":{"url":"https://shop.example.com/order-completed"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)"}}'),
			't.events', number % 3, number,
			toDateTime64(now() - INTERVAL 28 DAY, 3, 'UTC') + toIntervalMillisecond(number * intDiv(28 * 86400000, {many:UInt64})) AS at
		FROM numbers({many:UInt64})
		SETTINGS max_execution_time = 600, max_block_size = 200000`, clickhouse.Named("many", uint64(many)))
	if err != nil {
		b.Fatal(err)
	}
	return s
}
