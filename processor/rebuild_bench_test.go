package processor_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// BenchmarkRebuild starts a processor that has lost its dedup indexes while all b.N events are committed, and takes the
// time until it says that it is ready. An operation is one event. The broker works on the same processors. Run it with
// what the binary tells the garbage collector:
//
//	GOGC=400 go test -run='^$' -bench=Rebuild -benchtime=10000000x ./processor
func BenchmarkRebuild(b *testing.B) {
	config, reader := benchWorld(b)
	commitAll(b, config)
	p, err := processor.New(processor.Config{
		Guarantee: processor.AtLeastOnce, Instance: "bench", BatchRecords: 20000, BatchTime: 100 * time.Millisecond,
		CommitTimeout: time.Minute, DedupDir: b.TempDir(), DedupMemory: 512 << 20,
	}, config, reader, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	awaitReady(b, p, config.Topics.Partitions)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "CPU-ns/event")
	b.StopTimer()
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// commitAll moves the processor's group to the end of the events.
func commitAll(b *testing.B, config kafka.Config) {
	client, err := kgo.NewClient(config.Options()...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(b.Context(), config.Topic(schemas.EventsTopic))
	if err != nil {
		b.Fatal(err)
	}
	if err := admin.CommitAllOffsets(b.Context(), config.Group("processor"), ends.Offsets()); err != nil {
		b.Fatal(err)
	}
}

func awaitReady(b *testing.B, p *processor.Processor, partitions int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if state := p.Readiness(); state.Ready && len(state.Partitions) == partitions {
			return
		}
		select {
		case <-tick.C:
		case <-b.Context().Done():
			b.Fatal("never ready")
		}
	}
}
