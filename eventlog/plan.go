package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// since returns what has come into the topics behind what the mark reaches to, and how many offsets that is.
func (r *rebuild) since(ctx context.Context) (since []stretch, offsets int64, err error) {
	now, err := r.plan(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	for _, of := range now.Stretches { // one that the mark does not know is of a partition that was added
		if known := r.mark.of(of); known != nil {
			of.From = known.To
		}
		since = append(since, of)
		offsets += of.To - of.From
	}
	return since, offsets, nil
}

// reach lets the mark reach to the ends of what since has returned. In the table's comment it stays as it was planned:
// whoever goes on asks the table for more than is missing.
func (r *rebuild) reach(since []stretch) {
	for _, of := range since {
		if known := r.mark.of(of); known != nil {
			known.To = of.To
		} else {
			r.mark.Stretches = append(r.mark.Stretches, of)
		}
	}
}

// plan says which offsets are read from Kafka, up to its end now. Rows beyond that end are not of the records that will be
// there: the topic has been made anew.
func (r *rebuild) plan(ctx context.Context, held []stretch) (mark, error) {
	mark := mark{ID: strconv.FormatInt(r.began.UnixMilli(), 10)}
	for _, table := range tables() {
		if table.name != r.name {
			continue
		}
		topic := r.kafka.Topic(table.topic)
		starts, startErr := r.admin.ListStartOffsets(ctx, topic)
		ends, endErr := r.admin.ListCommittedOffsets(ctx, topic)
		if err := errors.Join(startErr, endErr, starts.Error(), ends.Error()); err != nil {
			return mark, fmt.Errorf("asking Kafka for the offsets of %s: %w", topic, err)
		}
		if !r.what.From.IsZero() {
			var err error
			if starts, err = r.admin.ListOffsetsAfterMilli(ctx, r.what.From.UnixMilli(), topic); err != nil || starts.Error() != nil {
				err = errors.Join(err, starts.Error())
				return mark, fmt.Errorf("asking Kafka which offset of %s is the first since %s: %w", topic, r.what.From.Format(time.RFC3339), err)
			}
		}
		for _, end := range ends.Offsets().Sorted() {
			start, _ := starts.Lookup(topic, end.Partition)
			mark.Stretches = append(mark.Stretches, stretch{topic, end.Partition, min(start.Offset, end.At), end.At})
		}
	}
	for _, rows := range held {
		if known := mark.of(rows); known != nil && rows.To > known.To {
			return mark, fmt.Errorf("it has rows up to offset %d of topic %s, partition %d, and Kafka has only records up to %d: the topic was made anew, "+
				"and rows of the former one would be taken for its own; give that table another name, run millrace migrate, and copy what you need", rows.To-1, rows.Topic, rows.Partition, known.To-1)
		}
	}
	return mark, nil
}

// of returns the stretch of the mark that is of the same partition, or nil.
func (m mark) of(other stretch) *stretch {
	for i, stretch := range m.Stretches {
		if stretch.Topic == other.Topic && stretch.Partition == other.Partition {
			return &m.Stretches[i]
		}
	}
	return nil
}
