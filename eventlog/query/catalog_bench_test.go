package query_test

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/eventlog/query"
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
		WITH toDateTime64(now() - INTERVAL 28 DAY, 3, 'UTC') + toIntervalMillisecond(intDiv(number * 28 * 86400000, {many:UInt64})) AS at
		SELECT generateUUIDv4(), 'src_' || toString(number % 3), if(number % 10 = 0, 'development', 'production'),
			if(number = 1234567, 'Rare', 'Event ' || toString(cityHash64(number) % 200)), toString(number), toString(number % 100000), at, at,
			concat('{"type":"track","event":"E","userId":"', toString(number), '","properties":{"total":', toString(cityHash64(number) % 1000),
				',"token":"', hex(randomString(60)), '","items":[{"sku":"A-1","price":10.5},{"sku":"', toString(number), '","price":3}]},',
				'"context":{"page":{"url":"https://shop.example.com/order-completed"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)"}}'),
			't.events', number % 3, number
		FROM numbers({many:UInt64})
		SETTINGS max_execution_time = 600, max_block_size = 200000`, clickhouse.Named("many", uint64(many)))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkCatalogOfEvents asks what a user asks who looks for an event and its fields, over ten million events.
func BenchmarkCatalogOfEvents(b *testing.B) {
	s := manyEvents(b)
	names := func(b *testing.B, filter query.NameFilter, want int) {
		b.Helper()
		for b.Loop() {
			if page, err := s.log.Names(b.Context(), filter); err != nil || len(page.Items) != want {
				b.Fatalf("%d names, %v, want %d", len(page.Items), err, want)
			}
		}
	}
	recent := func(b *testing.B, filter query.RecentFilter, want int) {
		b.Helper()
		filter.Limit = query.MaxRecent
		for b.Loop() {
			if events, err := s.log.Recent(b.Context(), filter); err != nil || len(events) != want {
				b.Fatalf("%d events, %v, want %d", len(events), err, want)
			}
		}
	}
	all := time.Now().AddDate(0, 0, -40)
	b.Run("names of a week", func(b *testing.B) { names(b, query.NameFilter{}, 50) })
	b.Run("names of all time", func(b *testing.B) { names(b, query.NameFilter{Since: all}, 50) })
	b.Run("names of a source of all time", func(b *testing.B) {
		names(b, query.NameFilter{Source: "src_1", Environment: "production", Since: all, Limit: 500}, 201)
	})
	b.Run("recent of a source", func(b *testing.B) {
		recent(b, query.RecentFilter{Source: "src_1", Environment: "production", Event: "Event 7"}, 100)
	})
	b.Run("recent of a name", func(b *testing.B) { recent(b, query.RecentFilter{Event: "Event 7"}, 100) })
	b.Run("recent of a rare name", func(b *testing.B) { recent(b, query.RecentFilter{Event: "Rare"}, 1) })
	b.Run("recent of no name", func(b *testing.B) { recent(b, query.RecentFilter{Event: "Nobody Sends This"}, 0) })
}
