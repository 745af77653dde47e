package catalog_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// newKeys returns Keys with a catalog key of its own, made of one letter.
func newKeys(t testing.TB, letter string) *catalog.Keys {
	t.Helper()
	t.Setenv("CATALOG_KEY_"+letter, base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32))))
	keys, err := catalog.NewKeys("env:CATALOG_KEY_" + letter)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestEndpointKeyIsStoredSealedAndFoundByItsHash(t *testing.T) {
	config := newCluster(t)
	keys := newKeys(t, "K")
	reader := follow(t, config)
	writer := newWriter(t, config, reader, catalog.WriterOptions{Keys: keys})
	if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: "production"}); err != nil {
		t.Fatal(err)
	}
	source := newSource(t, writer, "app")
	stored := source.Endpoints["production"].Key
	key, err := keys.Open(stored)
	if err != nil || len(key) < 22 || strings.Contains(stored, key) {
		t.Fatalf("stored %q, key %q: %v", stored, key, err)
	}
	if found, known := reader.Snapshot().Endpoint(key); !known || found.SourceID != source.ID {
		t.Errorf("found %+v", found)
	}
	if _, known := reader.Snapshot().Endpoint(stored); known {
		t.Error("the sealed key is good as a key")
	}
	for _, other := range []*catalog.Keys{nil, newKeys(t, "L")} {
		if opened, err := other.Open(stored); err == nil || !strings.Contains(err.Error(), "--catalog-key") {
			t.Errorf("opened as %q: %v", opened, err)
		}
	}
	damaged := stored[:len(stored)-4] + "AAAA"
	if opened, err := keys.Open(damaged); err == nil {
		t.Errorf("a damaged key opened as %q", opened)
	}
	for _, topic := range []string{schemas.CatalogTopic, schemas.AuditTopic} {
		if text := dump(t, config.Options(), config.Topic(topic)); strings.Contains(text, key) {
			t.Errorf("the key is on topic %s", topic)
		}
	}
}

func TestKeysThatWereStoredOpenAreSealedOnceThereIsACatalogKey(t *testing.T) {
	config := newCluster(t)
	reader, before := open(t, config)
	key := newSource(t, before, "app").Endpoints["production"].Key
	keys := newKeys(t, "K")
	writer := newWriter(t, config, reader, catalog.WriterOptions{Keys: keys})
	for range 2 { // the second time there is nothing to do
		if err := writer.SealKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	source, _ := reader.Snapshot().Source("app")
	if opened, err := keys.Open(source.Endpoints["production"].Key); err != nil || opened != key || source.Endpoints["production"].Key == key {
		t.Errorf("stored %q: %v", source.Endpoints["production"].Key, err)
	}
	if source.Revision != 2 {
		t.Errorf("revision %d", source.Revision)
	}
}

func TestCatalogKeyThatCannotBeUsedIsRefused(t *testing.T) {
	t.Setenv("SHORT", "c2hvcnQ=")
	t.Setenv("ODD", "%%%")
	for _, ref := range []string{"env:SHORT", "env:ODD", "env:UNSET", "secret", "file:/nowhere"} {
		if keys, err := catalog.NewKeys(ref); err == nil || !strings.Contains(err.Error(), "--catalog-key") || strings.Contains(err.Error(), "c2hv") {
			t.Errorf("%s: %v, %v", ref, keys, err)
		}
	}
	keys, err := catalog.NewKeys("")
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := keys.Open("plain"); err != nil || opened != "plain" {
		t.Errorf("%q, %v", opened, err)
	}
}

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestRotatedKeyIsGoodUntilItsGraceEnds(t *testing.T) {
	config := newCluster(t)
	reader, made := open(t, config)
	source := newSource(t, made, "app")
	at := &clock{time.Now()}
	writer := newWriter(t, config, reader, catalog.WriterOptions{Now: at.now})
	old := source.Endpoints["production"].Key
	rotated := rotate(t, writer, source.ID, time.Hour)
	isGood := func(key string, after time.Duration) bool {
		found, known := reader.Snapshot().Endpoint(key)
		return known && found.SourceID == source.ID && found.Environment == "production" && found.IsGood(at.at.Add(after))
	}
	current := rotated.Endpoints["production"].Key
	if current == old || !isGood(current, 1000*time.Hour) || !isGood(old, 59*time.Minute) || isGood(old, time.Hour) {
		t.Errorf("current good %t, old good in time %t, old good after it %t", isGood(current, 0), isGood(old, 59*time.Minute), isGood(old, time.Hour))
	}
	at.at = at.at.Add(2 * time.Hour)
	described, err := writer.UpdateSource(t.Context(), source.ID, func(s *schemas.Source) error {
		s.Description = "x"
		s.Endpoints["production"] = schemas.Endpoint{DedupWindow: schemas.DefaultWindow} // keys are not for editing
		return nil
	})
	if err != nil || len(described.Endpoints["production"].Previous) != 0 || described.Endpoints["production"].Key != current {
		t.Errorf("%+v, %v", described.Endpoints["production"], err)
	}
	if _, known := reader.Snapshot().Endpoint(old); known {
		t.Error("a key past its time is still there after the next change")
	}
}

func TestAnEndpointHasFivePreviousKeysAtMost(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	keys := []string{source.Endpoints["production"].Key}
	for range 5 {
		keys = append(keys, rotate(t, writer, source.ID, time.Hour).Endpoints["production"].Key)
	}
	refused := func(grace time.Duration) {
		t.Helper()
		err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
			_, err := tx.RotateKey("app", "production", grace)
			return err
		})
		var invalid *catalog.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "grace" {
			t.Errorf("grace %s: %v", grace, err)
		}
	}
	refused(time.Hour)
	refused(-time.Second)
	refused(169 * time.Hour)
	rotate(t, writer, source.ID, 0)
	for _, key := range keys {
		if _, known := reader.Snapshot().Endpoint(key); known {
			t.Error("an old key is good after a rotation without grace")
		}
	}
}

func rotate(t *testing.T, writer *catalog.Writer, sourceID string, grace time.Duration) (rotated schemas.Source) {
	t.Helper()
	err := writer.Change(t.Context(), func(tx *catalog.Tx) (err error) {
		rotated, err = tx.RotateKey(sourceID, "production", grace)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rotated
}

// TestNoEndpointKeyIsInALogLine changes the catalog and reads it again with everything logged that there is to log.
func TestNoEndpointKeyIsInALogLine(t *testing.T) {
	config := newCluster(t)
	logged := &rig.Buffer{}
	logger := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	reader, err := catalog.NewReader(config, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	writer, err := catalog.NewWriter(config, reader, logger, catalog.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: "production"}); err != nil {
		t.Fatal(err)
	}
	source := newSource(t, writer, "app")
	keys := []string{source.Endpoints["production"].Key}
	keys = append(keys, rotate(t, writer, source.ID, time.Hour).Endpoints["production"].Key)
	produce(t, config, "source/"+source.ID, `{"schema":99,"source":{"endpoints":{"production":{"key":"`+keys[1]+`"}}}}`)
	produce(t, config, "source/src_other", `{"schema":1,"source":{"endpoints":{"production":{"key":"`+keys[1]+`"}}}}`)
	produce(t, config, "source/src_third", `{"schema":1,"source":{"endpoints":{"production":{"key":"`+keys[1]+`"`)
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.UpdateSource(t.Context(), source.ID, func(*schemas.Source) error { return nil }); err == nil || strings.Contains(err.Error(), keys[1]) {
		t.Errorf("writing over a record of the future: %v", err)
	}
	writer.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), "skipping a catalog record") {
		t.Error("nothing was logged")
	}
	for _, key := range keys {
		if strings.Contains(logged.String(), key) {
			t.Error("a key was logged")
		}
	}
}
