package processor_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// segments lists the files of all dedup indexes.
func (w *world) segments() []string {
	w.t.Helper()
	var found []string
	err := filepath.WalkDir(w.dedupDir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(entry.Name(), ".seg") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// TestIndexThatIsLostOrDamagedIsMadeAnewFromTheTopic expects the decisions of an undisturbed run.
func TestIndexThatIsLostOrDamagedIsMadeAnewFromTheTopic(t *testing.T) {
	harms := map[string]func(t *testing.T, path string, content []byte) error{
		"gone": func(_ *testing.T, path string, _ []byte) error { return os.Remove(path) },
		"torn": func(_ *testing.T, path string, content []byte) error {
			return os.WriteFile(path, content[:len(content)/2], 0o600)
		},
		"flipped": func(_ *testing.T, path string, content []byte) error {
			content[3] ^= 4
			return os.WriteFile(path, content, 0o600)
		},
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			stop := w.run(processor.ExactlyOnce)
			var events []event
			for hour := range 20 { // each hour that passes seals a segment
				for i := range 10 {
					events = append(events, event{messageID: fmt.Sprint(hour, "-", i), after: time.Duration(hour) * time.Hour})
				}
			}
			first := w.post(events...)
			w.await(first...)
			stop()
			sealed := w.segments()
			if len(sealed) < 10 {
				t.Fatalf("only %d segments", len(sealed))
			}
			for i := 0; i < len(sealed); i += 2 {
				content, err := os.ReadFile(sealed[i])
				if err != nil {
					t.Fatal(err)
				}
				if err := harm(t, sealed[i], content); err != nil {
					t.Fatal(err)
				}
			}
			w.run(processor.ExactlyOnce)
			for i := range events {
				events[i].after += 2 * time.Hour
			}
			again := w.post(events...)
			w.await(again...)
			for i, id := range again {
				if got := w.decisions[id]; got.Status != schemas.Duplicate || *got.DuplicateOf != w.decisions[first[i]].Input {
					t.Fatalf("the repeat of event %d: %+v", i, got)
				}
			}
		})
	}
}

// TestSegmentMadeShorterWhileRunningIsMadeAnewFromTheTopic cuts off the mapped files under the processor.
func TestSegmentMadeShorterWhileRunningIsMadeAnewFromTheTopic(t *testing.T) {
	w := newWorld(t)
	w.run(processor.ExactlyOnce)
	var events []event
	for hour := range 20 {
		events = append(events, event{messageID: fmt.Sprint(hour), after: time.Duration(hour) * time.Hour})
	}
	first := w.post(events...)
	w.await(first...)
	sealed := w.segments()
	if len(sealed) < 10 {
		t.Fatalf("only %d segments", len(sealed))
	}
	for _, path := range sealed {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range events {
		events[i].after += 2 * time.Hour
	}
	again := w.post(events...)
	w.await(again...)
	for i, id := range again {
		if got := w.decisions[id]; got.Status != schemas.Duplicate || *got.DuplicateOf != w.decisions[first[i]].Input {
			t.Errorf("the repeat of event %d: %+v", i, got)
		}
	}
}

func TestWindowMadeLongerWhileRunningReachesBack(t *testing.T) {
	w := newWorld(t)
	w.run(processor.AtLeastOnce)
	first := w.post(event{messageID: "m1"}, event{messageID: "m2"})
	w.await(first...)
	w.requireStatus(w.post(event{messageID: "m1", after: 30 * time.Hour}), schemas.NoTrigger)
	if _, err := w.writer.UpdateSource(t.Context(), w.source.ID, func(s *schemas.Source) error {
		endpoint := s.Endpoints["production"]
		endpoint.DedupWindow = schemas.Window(48 * time.Hour)
		s.Endpoints["production"] = endpoint
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	repeat := w.post(event{messageID: "m2", after: 40 * time.Hour})
	w.requireStatus(repeat, schemas.Duplicate)
	if got := w.decisions[repeat[0]].DuplicateOf; *got != w.decisions[first[1]].Input {
		t.Errorf("repeat of %+v, want %+v", got, w.decisions[first[1]].Input)
	}
}

func TestReadinessNamesEachPartition(t *testing.T) {
	w := newWorld(t)
	w.run(processor.AtLeastOnce)
	p := w.processor
	deadline := time.Now().Add(patience)
	for !p.Readiness().Ready {
		if time.Now().After(deadline) {
			t.Fatalf("never ready: %+v", p.Readiness())
		}
		w.await(w.post(event{})...)
	}
	for partition, state := range p.Readiness().Partitions {
		if state != "ready" {
			t.Errorf("partition %d: %s", partition, state)
		}
	}
}
