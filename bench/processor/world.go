package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

const (
	environment = "production"
	partitions  = 3
)

// world is a set of topics under a prefix of its own, with a source and its triggers in the catalog.
type world struct {
	cluster kafka.Config
	client  *kgo.Client
	admin   *kadm.Client
	source  schemas.Source
}

// newWorld makes the topics and the catalog. Two of ten triggers match. The world must be closed.
func newWorld(ctx context.Context, address, name string, triggers int) (*world, error) {
	w := &world{}
	if err := kong.ApplyDefaults(&w.cluster); err != nil {
		return nil, err
	}
	w.cluster.Brokers = []string{address}
	w.cluster.TopicPrefix = fmt.Sprintf("bench-%d-%s.", time.Now().UnixMilli(), name)
	w.cluster.Topics.Partitions = partitions
	client, err := kgo.NewClient(append(w.cluster.Options(),
		kgo.ProducerLinger(5*time.Millisecond), kgo.ProducerBatchCompression(kgo.SnappyCompression()))...)
	if err != nil {
		return nil, err
	}
	w.client, w.admin = client, kadm.NewClient(client)
	if err := w.cluster.Ping(ctx); err != nil {
		w.client.Close()
		return nil, fmt.Errorf("%w; is it running (make kafka-up)?", err)
	}
	if err := errors.Join(w.cluster.EnsureTopics(ctx), w.fillCatalog(ctx, triggers)); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close deletes the topics, those of a run that failed too: a million events are not left on the broker.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	topics, err := w.admin.ListTopics(ctx)
	if err == nil {
		names := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, w.cluster.TopicPrefix) })
		_, err = w.admin.DeleteTopics(ctx, names...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deleting the topics:", err)
	}
	w.client.Close()
}

func (w *world) fillCatalog(ctx context.Context, triggers int) error {
	logger := slog.New(slog.DiscardHandler)
	reader, err := catalog.NewReader(w.cluster, logger)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error { return reader.Run(following) })
	defer func() {
		stop()
		_ = group.Wait() // a reader only ends because it is told to
	}()
	writer, err := catalog.NewWriter(w.cluster, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return err
	}
	defer writer.Close()
	if err := writer.EnsureEnvironment(ctx, schemas.Environment{Name: environment}); err != nil {
		return err
	}
	if w.source, err = writer.CreateSource(ctx, schemas.Source{Name: "bench"}); err != nil {
		return err
	}
	for i := range triggers {
		if _, err := writer.CreateTrigger(ctx, trigger(w.source.ID, i)); err != nil {
			return err
		}
	}
	return nil
}

// trigger is bound to every event; only the first two match any. They are those of processor/bench_test.go.
func trigger(source string, i int) schemas.Trigger {
	condition := fmt.Sprintf(`data.total > %d && data.currency == "XXX"`, i)
	if i < 2 {
		condition = `context.locale != nil && environment == "production"`
	}
	return schemas.Trigger{
		Environment: environment, SourceID: source, Event: schemas.AnyEvent, Workflow: fmt.Sprint("workflow-", i), Condition: condition,
		Mapping: schemas.Mapping{
			Recipients: json.RawMessage(`"user_id"`),
			Data:       map[string]json.RawMessage{"url": json.RawMessage(`"context.page.url"`), "properties": json.RawMessage(`"data"`)},
		},
	}
}

// makeTopic returns when the broker knows the topic, which is a little after it has agreed to make it.
func (w *world) makeTopic(ctx context.Context, name string) error {
	if _, err := w.admin.CreateTopic(ctx, partitions, -1, nil, name); err != nil {
		return err
	}
	return poll(ctx, nil, func() (bool, error) {
		_, err := w.ends(ctx, name)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			return false, nil
		}
		return err == nil, err
	})
}

// committed returns how many events a group has committed in all.
func (w *world) committed(ctx context.Context, group string) (int64, error) {
	offsets, err := w.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) || errors.Is(err, kerr.CoordinatorNotAvailable) {
		return 0, nil // nobody has joined yet: some brokers say the one, and a fresh one says the other
	}
	if err != nil {
		return 0, err
	}
	var sum int64
	offsets.Each(func(o kadm.OffsetResponse) { sum += max(o.At, 0) })
	return sum, nil
}

// ends returns the offset after the last record of each partition, those of open transactions included.
func (w *world) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	listed, err := w.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	if err := listed.Error(); err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// poll asks until the answer is yes, over ends, or there is no more time.
func poll(ctx context.Context, over <-chan struct{}, isDone func() (bool, error)) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := isDone()
		if done || err != nil {
			return err
		}
		select {
		case <-over:
			return errOver
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// errOver says that what was waited for cannot come any more.
var errOver = errors.New("over")
