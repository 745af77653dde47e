package catalog

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

// TestSnapshotLiesBetweenTwoChanges makes random changes, lets compaction drop random records that later ones replace,
// cuts the log into random fetches, and compares each snapshot with the states that the changes led to.
func TestSnapshotLiesBetweenTwoChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log, states := randomLog(t)
		f := newFollower(slog.New(slog.DiscardHandler))
		readable, reached := 0, 0 // how far the log can be read, and the change that a snapshot was last equal to
		for at := 0; at < len(log.records); {
			if readable == at || rapid.Bool().Draw(t, "readable further") {
				readable = rapid.SampledFrom(log.endsAfter(max(at, readable-1))).Draw(t, "readable")
			}
			until := rapid.IntRange(at+1, readable).Draw(t, "until")
			isNew := f.add(log.compacted(at, until, readable), int64(readable))
			at = until
			if isNew != (at == readable) {
				t.Fatalf("at %d of %d there is a snapshot: %t", at, readable, isNew)
			}
			if got := describe(f.latest); isNew {
				next := slices.Index(states[reached:], got)
				if next < 0 {
					t.Fatalf("at %d: %s is no state between two changes; they are %q", at, got, states)
				}
				reached += next
			}
		}
		if got := describe(f.latest); got != states[len(states)-1] {
			t.Fatalf("at the end: %s, want %s", got, states[len(states)-1])
		}
	})
}

// changeLog is the records of changes, and where each change ends.
type changeLog struct {
	records    []*kgo.Record
	ends       []int
	replacedBy map[int]int // what compaction may drop, once what replaces it is readable
}

// randomLog returns a log and the state after each change, that of the empty catalog first.
func randomLog(t *rapid.T) (*changeLog, []string) {
	log := &changeLog{replacedBy: map[int]int{}}
	state := newSnapshot()
	states := []string{describe(state)}
	last := map[string]int{}
	for change := range rapid.IntRange(1, 12).Draw(t, "changes") {
		isTransaction := rapid.Bool().Draw(t, "a transaction")
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4, rapid.ID).Draw(t, "names") {
			key := environmentKey(name)
			var value []byte
			if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
				state = state.draft()
				state.remove(new(edit), key)
			} else {
				entry := schemas.CatalogEntry{Schema: schemas.Version, Environment: &schemas.Environment{Name: name, Revision: int64(change)}}
				value, _ = schemas.Encode(entry)
				state = state.draft()
				state.put(new(edit), key, entry)
			}
			if earlier, exists := last[key]; exists && rapid.Bool().Draw(t, "compacted") {
				log.replacedBy[earlier] = len(log.records)
			}
			last[key] = len(log.records)
			log.add(catalogRecord("catalog", key, fmt.Sprint("change-", change), value))
		}
		if isTransaction {
			log.add(&kgo.Record{Attrs: kgo.NewRecordAttrs(kgo.RecordAttrsOpts{Transactional: true, Control: true})})
		}
		log.ends = append(log.ends, len(log.records))
		states = append(states, describe(state))
	}
	return log, states
}

func (l *changeLog) add(record *kgo.Record) {
	record.Offset = int64(len(l.records))
	l.records = append(l.records, record)
}

// endsAfter returns where the log can be readable to, from a place on.
func (l *changeLog) endsAfter(at int) []int {
	var ends []int
	for _, end := range l.ends {
		if end > at {
			ends = append(ends, end)
		}
	}
	return ends
}

func (l *changeLog) compacted(from, to, readable int) []*kgo.Record {
	var records []*kgo.Record
	for i := from; i < to; i++ {
		if by, isReplaced := l.replacedBy[i]; !isReplaced || by >= readable {
			records = append(records, l.records[i])
		}
	}
	return records
}

func describe(s *Snapshot) string {
	text := ""
	for _, environment := range s.Environments() {
		text += fmt.Sprintf("%s%d ", environment.Name, environment.Revision)
	}
	return text
}
