package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// TestTwoWritersAtOnceLoseNothing has two consoles change the same trigger and things of their own.
func TestTwoWritersAtOnceLoseNothing(t *testing.T) {
	config := newCluster(t)
	reader, first := open(t, config)
	_, second := open(t, config)
	source := newSource(t, first, "app")
	shared, err := first.CreateTrigger(t.Context(), trigger(source.ID, "Signed Up"))
	if err != nil {
		t.Fatal(err)
	}
	const each = 12
	var all sync.WaitGroup
	for w, writer := range []*catalog.Writer{first, second} {
		for i := range each {
			all.Go(func() {
				_, err := writer.UpdateTrigger(t.Context(), shared.ID, func(edited *schemas.Trigger) error {
					edited.Description += "x"
					return nil
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			})
			all.Go(func() {
				if _, err := writer.CreateSource(t.Context(), schemas.Source{Name: fmt.Sprintf("app-%d-%d", w, i)}); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			})
		}
	}
	all.Wait()
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := reader.Snapshot().Trigger(shared.ID); got.Revision != 2*each+1 || len(got.Description) != 2*each {
		t.Errorf("revision %d, %d changes in it, want %d of both writers", got.Revision, len(got.Description), 2*each)
	}
	if got := len(reader.Snapshot().Sources()); got != 2*each+1 {
		t.Errorf("%d sources, want %d", got, 2*each+1)
	}
	// One audit record for each environment, source and trigger that was made, and for each change.
	if got := len(readAudit(t, config, 2+1+1+4*each)); got != 2+1+1+4*each {
		t.Errorf("%d audit records", got)
	}
}

func TestOfTwoWritersThatWantTheSameNameOneIsRefused(t *testing.T) {
	config := newCluster(t)
	_, first := open(t, config)
	_, second := open(t, config)
	var made, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, writer := range []*catalog.Writer{first, second} {
		for range 5 {
			all.Go(func() {
				_, err := writer.CreateSource(t.Context(), schemas.Source{Name: "app"})
				mu.Lock()
				defer mu.Unlock()
				var invalid *catalog.InvalidError
				switch {
				case err == nil:
					made++
				case errors.As(err, &invalid):
					refused++
				default:
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if made != 1 || refused != 9 {
		t.Errorf("%d made, %d refused", made, refused)
	}
}

func TestRevisionThatIsNotTheCurrentOneIsStale(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	describe := func(revision int64) error {
		_, err := writer.UpdateSource(t.Context(), source.ID, func(s *schemas.Source) error {
			s.Description += "x"
			return catalog.CheckRevision(revision, s.Revision)
		})
		return err
	}
	if err := errors.Join(describe(1), describe(0), describe(3)); err != nil {
		t.Fatal(err)
	}
	var stale *catalog.StaleError
	if err := describe(2); !errors.As(err, &stale) || stale.Current != 4 {
		t.Errorf("got %v", err)
	}
}

// TestChangeIsSeenAsAWhole lets a reader watch while changes move all environments to the next number, and starts
// others meanwhile, which begin in the middle of the log.
func TestChangeIsSeenAsAWhole(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	const changes, environments = 30, 40
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watch := func(r *catalog.Reader) {
		for ctx.Err() == nil {
			requireWhole(t, r.Snapshot())
		}
	}
	watching.Go(func() { watch(reader) })
	for i := range changes {
		if i%10 == 5 {
			late := follow(t, config)
			watching.Go(func() { watch(late) })
		}
		err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
			for e := range environments {
				if _, err := tx.PutEnvironment(schemas.Environment{Name: fmt.Sprint("e", e), Description: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	watching.Wait()
}

// requireWhole checks that all environments whose description is a number have the same.
func requireWhole(t *testing.T, snapshot *catalog.Snapshot) {
	t.Helper()
	seen := map[string]int{}
	for _, environment := range snapshot.Environments() {
		if environment.Description != "" {
			seen[environment.Description]++
		}
	}
	if len(seen) > 1 {
		t.Errorf("half of a change: %v", seen)
	}
}

func TestChangeThatIsRefusedLeavesNothing(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
		source, err := tx.PutSource(schemas.Source{Name: "app"})
		if err != nil {
			return err
		}
		if _, found := tx.Snapshot().Source("app"); !found {
			t.Error("the change does not see itself")
		}
		if _, err := tx.PutTrigger(trigger(source.ID, "Signed Up")); err != nil {
			return err
		}
		_, err = tx.PutTrigger(trigger(source.ID, ""))
		return err
	})
	var invalid *catalog.InvalidError
	if !errors.As(err, &invalid) || len(reader.Snapshot().Sources()) != 0 {
		t.Errorf("%v; sources %v", err, reader.Snapshot().Sources())
	}
}

// TestWriterOfASingleProcessWritesInOneBatch needs a broker that is its own: nobody else writes there.
func TestWriterOfASingleProcessWritesInOneBatch(t *testing.T) {
	config := newCluster(t)
	reader := follow(t, config)
	writer := newWriter(t, config, reader, catalog.WriterOptions{SingleProcess: true})
	const environments = 90
	err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
		for e := range environments {
			if _, err := tx.PutEnvironment(schemas.Environment{Name: fmt.Sprint("e", e)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := writer.CreateSource(t.Context(), schemas.Source{Name: fmt.Sprint("app", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(reader.Snapshot().Sources()); got != 20 {
		t.Errorf("%d sources", got)
	}
	readAudit(t, config, environments+20)
}

func TestWriterThatIsShutOutBeginsAnew(t *testing.T) {
	config := newCluster(t)
	_, first := open(t, config)
	_, second := open(t, config)
	for i := range 4 { // in turn, so that each finds itself shut out
		for w, writer := range []*catalog.Writer{first, second} {
			calls := 0
			err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
				calls++
				if got := len(tx.Snapshot().Sources()); got != 2*i+w {
					return fmt.Errorf("%d sources, want %d", got, 2*i+w)
				}
				_, err := tx.PutSource(schemas.Source{Name: fmt.Sprintf("app-%d-%d", i, w)})
				return err
			})
			if err != nil || calls > 3 {
				t.Errorf("%d calls: %v", calls, err)
			}
		}
	}
}

// TestChangeOfAWriterThatDiedIsRolledBack leaves a transaction open, as a kill does.
func TestChangeOfAWriterThatDiedIsRolledBack(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	dead, err := kgo.NewClient(append(config.Options(), kgo.TransactionalID(config.Group("catalog")), kgo.TransactionTimeout(time.Minute))...)
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	half := &kgo.Record{Topic: config.Topic(schemas.CatalogTopic), Key: []byte("environment/half"), Value: []byte(`{"schema":1,"environment":{"name":"half"}}`)}
	if err := dead.ProduceSync(t.Context(), half).FirstErr(); err != nil {
		t.Fatal(err)
	}
	dead.Close()
	during := follow(t, config)
	if err := during.Ready(t.Context()); err != nil || len(during.Snapshot().Environments()) != 2 {
		t.Errorf("with the transaction open: %v, %v", during.Snapshot().Environments(), err)
	}
	newSource(t, writer, "app")
	late := follow(t, config)
	for _, r := range []*catalog.Reader{reader, during, late} {
		if err := r.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, exists := r.Snapshot().Source("app")
		if _, isHalf := r.Snapshot().Environment("half"); isHalf || !exists {
			t.Errorf("half of a change: %t; the change after it: %t", isHalf, exists)
		}
	}
}
