package manifest_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/catalog/manifest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a real catalog.
type store struct {
	t      testing.TB
	reader *catalog.Reader
	writer *catalog.Writer
}

// newStore opens a catalog with the environments that every catalog begins with.
func newStore(t *testing.T) store {
	t.Helper()
	cluster := rig.Kafka(t)
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 1, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	reader, err := catalog.NewReader(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	writer, err := catalog.NewWriter(config, reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		writer.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"development", "production"} {
		if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return store{t, reader, writer}
}

// apply makes the catalog what the manifest says.
func (s store) apply(m manifest.Manifest, prune bool) (plan manifest.Plan, err error) {
	s.t.Helper()
	err = s.writer.Change(s.t.Context(), func(tx *catalog.Tx) error {
		plan, err = manifest.Apply(tx, m, prune)
		return err
	})
	return plan, err
}

// mustApply applies YAML that is right.
func (s store) mustApply(text string, prune bool) manifest.Plan {
	s.t.Helper()
	plan, err := s.apply(read(s.t, text), prune)
	if err != nil {
		s.t.Fatal(err)
	}
	return plan
}

func read(t failing, text string) manifest.Manifest {
	t.Helper()
	m, err := manifest.Read(manifest.File{Name: "test.yaml", Text: []byte(text)})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m
}

// problems expects Read to refuse the text.
func problems(t testing.TB, text string) manifest.Problems {
	t.Helper()
	_, err := manifest.Read(manifest.File{Name: "test.yaml", Text: []byte(text)})
	return problemsIn(t, err)
}

func problemsIn(t testing.TB, err error) manifest.Problems {
	t.Helper()
	var found manifest.Problems
	if !errors.As(err, &found) {
		t.Fatalf("not refused: %v", err)
	}
	return found
}

func encode(t failing, m manifest.Manifest) string {
	t.Helper()
	text, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// failing is a testing.TB or a *rapid.T.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
