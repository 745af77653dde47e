package query

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// FollowFilter says which events somebody waits for. The selection has no Since, Until or Status: an event is not decided
// about when it comes.
type FollowFilter struct {
	Selection
	From   time.Time // where there is no Cursor: events received from then on
	Limit  int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor string    // NextCursor of the answer before
}

// followMargin is how much later than others a partition's events may become visible and still be found, and how much
// the clocks of those who receive events may differ.
const followMargin = 2 * time.Minute

// maxFollowed bounds a cursor; a topic with more partitions cannot be followed.
const maxFollowed = 1024

// seen is how far somebody who follows has read: the offsets up to which events are known. Time tells nothing of that,
// for what was received earlier may become visible later.
type seen struct {
	From    int64           `json:"f"` // milliseconds; of a partition that is not known, events received since
	Bound   int64           `json:"b"` // milliseconds; nothing new was received before
	Topic   string          `json:"t"`
	Offsets map[int32]int64 `json:"o"` // the last one that is known, by partition
}

// Follow returns the events that became visible since the answer before, each once: within a page the oldest first. Its
// NextCursor is never "". An event that becomes visible out of its partition's order, which takes a crash of the writer
// at midnight, may be left out.
func (l *Log) Follow(ctx context.Context, asked FollowFilter) (EventPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return EventPage{}, err
	}
	if asked.Status != "" || !asked.Since.IsZero() || !asked.Until.IsZero() {
		return EventPage{}, &FilterError{"after", "status, since and until have no meaning beside it"}
	}
	before, err := parseSeen(asked.Cursor, asked.From)
	if err != nil {
		return EventPage{}, err
	}
	now, err := l.visible(ctx, before)
	if err != nil {
		return EventPage{}, err
	}
	items, places, err := l.arrived(ctx, asked.Selection, before, now, size)
	if err != nil {
		return EventPage{}, err
	}
	if len(items) == size {
		now = now.upTo(places[size-1], before)
	}
	slices.SortStableFunc(items, func(a, b EventItem) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	return EventPage{items, now.cursor()}, l.addStatuses(ctx, items)
}

// visible asks how far each partition can be read now.
func (l *Log) visible(ctx context.Context, before seen) (seen, error) {
	now := seen{From: before.From, Bound: before.Bound, Topic: before.Topic, Offsets: maps.Clone(before.Offsets)}
	sql := "SELECT topic, partition, max(offset), max(received_at) AS latest FROM events" +
		" WHERE " + notBefore("received_at", "bound") + " GROUP BY topic, partition ORDER BY latest"
	err := l.rows(ctx, "events", sql, []any{clickhouse.Named("bound", before.Bound)}, func(rows driver.Rows) error {
		var topic string
		var partition int32
		var offset int64
		var latest time.Time
		if err := rows.Scan(&topic, &partition, &offset, &latest); err != nil {
			return err
		}
		if topic != now.Topic { // there is one, unless the prefix of the topics was changed: then the newer
			now.Topic, now.Offsets = topic, map[int32]int64{}
		}
		now.Offsets[partition] = max(offset, now.Offsets[partition])
		now.Bound = max(now.Bound, latest.Add(-followMargin).UnixMilli())
		return nil
	})
	if err == nil && len(now.Offsets) > maxFollowed {
		err = &FilterError{"after", "the topic has too many partitions to be followed"}
	}
	return now, err
}

// arrived reads the events between two states, partition by partition, and where each lies.
func (l *Log) arrived(ctx context.Context, of Selection, before, now seen, size int) ([]EventItem, []place, error) {
	where := new(filter)
	partitions := slices.Sorted(maps.Keys(now.Offsets))
	if len(partitions) == 0 {
		return []EventItem{}, nil, nil
	}
	lows, highs, isNew := make([]int64, len(partitions)), make([]int64, len(partitions)), make([]int64, len(partitions))
	for i, partition := range partitions {
		low, known := before.Offsets[partition]
		if !known || before.Topic != now.Topic {
			low, isNew[i] = -1, 1
		}
		lows[i], highs[i] = low, now.Offsets[partition]
	}
	where.equals("environment", of.Environment)
	where.equals("source_id", of.Source)
	where.equals("event", of.Event)
	where.add(notBefore("received_at", "bound")+" AND topic = {topic:String} AND offset > {lowest:Int64}"+
		" AND offset > transform(partition, {partitions:Array(Int32)}, {lows:Array(Int64)}, {none:Int64})"+
		" AND offset <= transform(partition, {partitions:Array(Int32)}, {highs:Array(Int64)}, toInt64(-1))"+
		" AND (received_at >= "+moment("from")+" OR transform(partition, {partitions:Array(Int32)}, {new:Array(Int64)}, toInt64(1)) = 0)",
		clickhouse.Named("bound", before.Bound), clickhouse.Named("topic", now.Topic), clickhouse.Named("lowest", slices.Min(lows)),
		clickhouse.Named("partitions", partitions), clickhouse.Named("lows", lows), clickhouse.Named("highs", highs), clickhouse.Named("new", isNew),
		clickhouse.Named("none", int64(-1)), clickhouse.Named("from", before.From))
	if err := of.add(where); err != nil {
		return nil, nil, err
	}
	items, places := []EventItem{}, []place{}
	sql := "SELECT " + eventColumns + ", partition, offset FROM events" + where.sql() + " ORDER BY partition, offset LIMIT 1 BY partition, offset LIMIT {size:UInt32}"
	err := l.rows(ctx, "events", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		at := place{topic: now.Topic}
		item, err := scanEvent(rows, &at.Partition, &at.Offset)
		items, places = append(items, item), append(places, at)
		return err
	})
	return items, places, err
}

// upTo is how far a page has read that ends at last: the partitions after that one are where they were.
func (s seen) upTo(last place, before seen) seen {
	cut := s
	cut.Bound, cut.Offsets = before.Bound, map[int32]int64{}
	for partition, offset := range s.Offsets {
		low, known := before.Offsets[partition]
		switch {
		case partition < last.Partition:
			cut.Offsets[partition] = offset
		case partition == last.Partition:
			cut.Offsets[partition] = last.Offset
		case known && before.Topic == s.Topic:
			cut.Offsets[partition] = low
		}
	}
	return cut
}

// cursor writes the state as JSON in base64url. What is in it is nobody else's business.
func (s seen) cursor() string {
	text, _ := json.Marshal(s) // numbers and a string
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseSeen(cursor string, from time.Time) (seen, error) {
	if cursor == "" {
		if err := checkRange(from, time.Time{}); err != nil {
			return seen{}, &FilterError{"after", "must lie between 1970 and 2105"}
		}
		at := from.UnixMilli()
		return seen{From: at, Bound: min(at, time.Now().UnixMilli()) - followMargin.Milliseconds(), Offsets: map[int32]int64{}}, nil
	}
	var s seen
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	isTime := func(millis int64) bool { return checkRange(time.UnixMilli(max(millis, 0)).UTC(), time.Time{}) == nil }
	if err != nil || s.Offsets == nil || len(s.Offsets) > maxFollowed || !isTime(s.From) || !isTime(s.Bound) {
		return seen{}, &FilterError{"after", "neither a time, such as 2026-11-20T08:30:00Z or 5m for how long ago, nor a next_cursor of such a list"}
	}
	return s, nil
}
