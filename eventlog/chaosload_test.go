package eventlog_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/millrace/millrace/schemas"
)

// chaosRate is how many events are written a second, each with a decision, a run and a delivery.
const chaosRate = 500

// sums is what a partition of a topic holds.
type sums map[int32]sum

type sum struct{ count, offsets, checksum int64 }

func (s sums) count() (all int64) {
	for _, sum := range s {
		all += sum.count
	}
	return all
}

// chaosLoad produces until it is stopped.
type chaosLoad struct {
	cancel  context.CancelFunc
	ended   chan struct{}
	records atomic.Int64

	mu       sync.Mutex // guards produced
	produced map[string]sums
}

func (r *rig) startChaosLoad() *chaosLoad {
	ctx, cancel := context.WithCancel(context.Background())
	load := &chaosLoad{cancel: cancel, ended: make(chan struct{}), produced: make(map[string]sums)}
	r.tb.Cleanup(func() { load.stop() })
	maker := &maker{tb: r.tb, kafka: r.kafka}
	go func() {
		defer close(load.ended)
		pace := rate.NewLimiter(chaosRate, 50)
		for pace.Wait(ctx) == nil {
			event, meta := maker.event(fmt.Sprintf(`{"type":"track","event":"A","messageId":"m-%d"}`, maker.events))
			run, made := maker.run(meta, "trg_1", `{"recipients":["u"]}`)
			for _, record := range []*kgo.Record{event, maker.decision(meta, schemas.Processed), run, maker.delivery(made, 1, schemas.Delivered)} {
				r.client.Produce(context.Background(), record, load.note)
			}
		}
		_ = r.client.Flush(context.Background()) // what fails is not noted
	}()
	return load
}

func (l *chaosLoad) note(record *kgo.Record, err error) {
	if err != nil {
		return
	}
	l.records.Add(1)
	topic := record.Topic[strings.LastIndexByte(record.Topic, '.')+1:]
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.produced[topic] == nil {
		l.produced[topic] = make(sums)
	}
	sum := l.produced[topic][record.Partition]
	sum.count++
	sum.offsets += record.Offset
	if topic == schemas.EventsTopic {
		sum.checksum += int64(crc32.ChecksumIEEE(record.Value))
	}
	l.produced[topic][record.Partition] = sum
}

func (l *chaosLoad) stop() map[string]sums {
	l.cancel()
	<-l.ended
	return l.produced
}

// catchesUp waits until everything of a topic is written.
func (r *rig) catchesUp(topic string, want sums) {
	r.tb.Helper()
	eventually(r.tb, func() error { return r.allCommitted(topic, int(want.count())) })
}

// requireSums compares a table with what Kafka acknowledged.
func (r *rig) requireSums(table string, want sums) {
	r.tb.Helper()
	checksum := "0"
	if table == schemas.EventsTopic {
		checksum = "toInt64(sum(CRC32(body)))"
	}
	for partition, want := range want {
		var got sum
		err := r.conn.QueryRow(r.tb.Context(), fmt.Sprintf("SELECT toInt64(count()), toInt64(sum(offset)), toInt64(%s) FROM %s FINAL WHERE partition = %d", checksum, table, partition)).
			Scan(&got.count, &got.offsets, &got.checksum)
		if err != nil || got != want {
			r.tb.Errorf("%s, partition %d: %+v, want %+v, %v", table, partition, got, want, err)
		}
	}
}
