package processor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// BenchmarkProcessor lets a processor work off b.N sample events, which ten triggers are bound to; two of them match.
// An operation is one event. The CPU time is that of the whole process, and the broker is in it. Run it with
//
//	go test -run='^$' -bench=Processor -benchtime=200000x ./processor
func BenchmarkProcessor(b *testing.B) {
	for _, guarantee := range []processor.Guarantee{processor.AtLeastOnce, processor.ExactlyOnce} {
		b.Run(string(guarantee), func(b *testing.B) { benchmark(b, guarantee) })
	}
}

func benchmark(b *testing.B, guarantee processor.Guarantee) {
	config, reader := benchWorld(b)
	ctx, stop := context.WithCancel(b.Context())
	p, err := processor.New(processor.Config{Guarantee: guarantee, Instance: "bench", BatchRecords: 20000, BatchTime: 100 * time.Millisecond, CommitTimeout: time.Minute, DedupDir: b.TempDir(), DedupMemory: 64 << 20},
		config, reader, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	admin, err := kgo.NewClient(config.Options()...)
	if err != nil {
		b.Fatal(err)
	}
	defer admin.Close()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	awaitCommitted(b, kadm.NewClient(admin), config, int64(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "CPU-us/event")
	b.StopTimer()
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// awaitCommitted waits until the processor has committed that many events.
func awaitCommitted(b *testing.B, admin *kadm.Client, config kafka.Config, events int64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var committed int64
		offsets, err := admin.FetchOffsets(b.Context(), config.Group("processor"))
		if err == nil {
			offsets.Each(func(o kadm.OffsetResponse) { committed += max(o.At, 0) })
		}
		if committed >= events {
			return
		}
		<-tick.C
	}
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// benchWorld starts a broker that holds b.N events, and a catalog with ten triggers for them.
func benchWorld(b *testing.B) (kafka.Config, *catalog.Reader) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cluster.Close)
	config := kafka.Config{
		Brokers: cluster.ListenAddrs(), TopicPrefix: "bench.", ClientID: "bench",
		Topics: kafka.Settings{Partitions: 6, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(b.Context()); err != nil {
		b.Fatal(err)
	}
	reader, err := catalog.NewReader(config, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		<-ended
	})
	produceSamples(b, config, benchCatalog(b, config, reader))
	return config, reader
}

func benchCatalog(b *testing.B, config kafka.Config, reader *catalog.Reader) schemas.Source {
	writer, err := catalog.NewWriter(config, reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer writer.Close()
	if err := writer.EnsureEnvironment(b.Context(), schemas.Environment{Name: "production"}); err != nil {
		b.Fatal(err)
	}
	source, err := writer.CreateSource(b.Context(), schemas.Source{Name: "app"})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10 {
		condition := fmt.Sprintf(`data.total > %d && data.currency == "XXX"`, i)
		if i < 2 {
			condition = `context.locale != nil && environment == "production"`
		}
		if _, err := writer.CreateTrigger(b.Context(), schemas.Trigger{
			Environment: "production", SourceID: source.ID, Event: schemas.AnyEvent, Workflow: fmt.Sprint("workflow-", i), Condition: condition,
			Mapping: schemas.Mapping{Recipients: json.RawMessage(`"user_id"`), Data: map[string]json.RawMessage{"url": json.RawMessage(`"context.page.url"`), "properties": json.RawMessage(`"data"`)}},
		}); err != nil {
			b.Fatal(err)
		}
	}
	return source
}

func produceSamples(b *testing.B, config kafka.Config, source schemas.Source) {
	client, err := kgo.NewClient(append(config.Options(), kgo.ProducerLinger(5*time.Millisecond))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	file, err := os.Open("../schemas/testdata/track-events.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var bodies [][]byte
	var tracks []schemas.Track
	for lines := bufio.NewScanner(file); lines.Scan(); {
		body := append([]byte(nil), lines.Bytes()...)
		track, err := schemas.ParseTrack(body)
		if err != nil {
			b.Fatal(err)
		}
		bodies, tracks = append(bodies, body), append(tracks, track)
	}
	received := time.Now().UTC().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range b.N {
		body, track := bodies[i%len(bodies)], tracks[i%len(tracks)]
		id, err := schemas.NewEventID(received)
		if err != nil {
			b.Fatal(err)
		}
		meta := schemas.EventMeta{EventID: id.String(), SourceID: source.ID, Environment: "production", Event: track.Event, MessageID: fmt.Sprint(track.MessageID, i), ReceivedAt: received}
		key := meta.Key()
		client.Produce(b.Context(), &kgo.Record{
			Topic: config.Topic(schemas.EventsTopic), Key: key[:], Value: body, Timestamp: received, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}
