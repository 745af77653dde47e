package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// topicSize is what a topic takes on the broker.
type topicSize struct {
	bytes   int64
	offsets int64 // records, and the markers of transactions
}

// topicSizes asks for all topics of the pipeline. Bytes are those of the log's segments, as compressed as they came, of
// one replica; the indexes beside them are left out.
func (w *world) topicSizes(ctx context.Context) (map[string]topicSize, error) {
	listed, err := w.topics.ListEndOffsets(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the ends of the topics: %w", err)
	}
	sizes := map[string]topicSize{}
	topics := kadm.TopicsSet{}
	listed.Each(func(o kadm.ListedOffset) {
		name, found := strings.CutPrefix(o.Topic, w.cluster.TopicPrefix)
		if !found {
			return
		}
		topics.Add(o.Topic, o.Partition)
		size := sizes[name]
		size.offsets += o.Offset
		sizes[name] = size
	})
	dirs, err := w.topics.DescribeAllLogDirs(ctx, topics)
	if err != nil {
		return nil, fmt.Errorf("asking for the sizes of the topics: %w", err)
	}
	dirs.Each(func(dir kadm.DescribedLogDir) {
		dir.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			name := strings.TrimPrefix(p.Topic, w.cluster.TopicPrefix)
			size := sizes[name]
			size.bytes += p.Size
			sizes[name] = size
		})
	})
	return sizes, nil
}

// Topic is what a step added to a topic, by the event posted.
type Topic struct {
	Name            string
	BytesPerEvent   float64
	OffsetsPerEvent float64
}

func grown(before, after map[string]topicSize, events int) []Topic {
	var all []Topic
	for name, size := range after {
		bytes, offsets := size.bytes-before[name].bytes, size.offsets-before[name].offsets
		if offsets > 0 {
			all = append(all, Topic{Name: name, BytesPerEvent: float64(bytes) / float64(events), OffsetsPerEvent: float64(offsets) / float64(events)})
		}
	}
	slices.SortFunc(all, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Table is what the rows of a table take on disk.
type Table struct {
	Name          string
	Rows          uint64
	Parts         uint64
	BytesPerRow   float64 // as inserted and merged so far
	MergedPerRow  float64 // after all parts were merged into one; 0 where that was not possible
	RawPerRow     float64 // uncompressed
	BytesPerEvent float64 // by the rows of the events table; merged where that was possible
}

// byEvent says what each table takes by the event.
func byEvent(tables []Table) []Table {
	var events float64
	for _, t := range tables {
		if t.Name == "events" {
			events = float64(t.Rows)
		}
	}
	for i, t := range tables {
		tables[i].BytesPerEvent = cmp.Or(t.MergedPerRow, t.BytesPerRow) * float64(t.Rows) / max(events, 1)
	}
	return tables
}

// mergePatience is how long merging one table may take.
const mergePatience = 2 * time.Minute

// tables measures the tables, merges them where they may be written, and measures them again.
func (w *world) tables(ctx context.Context) ([]Table, error) {
	found, err := w.tableSizes(ctx)
	if err != nil || w.settings.isEmbedded { // what is asked there is a read-only interface
		return byEvent(found), err
	}
	for _, table := range found {
		merging, cancel := context.WithTimeout(ctx, mergePatience)
		err := w.log.Exec(merging, "OPTIMIZE TABLE "+table.Name+" FINAL")
		cancel()
		if err != nil {
			return found, fmt.Errorf("merging %s: %w", table.Name, err)
		}
	}
	merged, err := w.tableSizes(ctx)
	if err != nil {
		return found, err
	}
	for i := range found {
		found[i].MergedPerRow = merged[i].BytesPerRow
	}
	return byEvent(found), nil
}

func (w *world) tableSizes(ctx context.Context) ([]Table, error) {
	rows, err := w.log.Query(ctx, "SELECT table, sum(rows), count(), sum(bytes_on_disk) / sum(rows), sum(data_uncompressed_bytes) / sum(rows)"+
		" FROM system.parts WHERE active AND database = currentDatabase() AND rows > 0 AND table IN ('events', 'decisions', 'runs', 'deliveries')"+
		" GROUP BY table ORDER BY table")
	if err != nil {
		return nil, fmt.Errorf("asking for the sizes of the tables: %w", err)
	}
	var all []Table
	for rows.Next() {
		var t Table
		if err := rows.Scan(&t.Name, &t.Rows, &t.Parts, &t.BytesPerRow, &t.RawPerRow); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, t)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}
