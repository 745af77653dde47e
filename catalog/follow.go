package catalog

import (
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// changeHeader is the header that names the change which a record is part of.
const changeHeader = "change_id"

// follower turns what is fetched of the topic into snapshots, each of which lies between two changes.
//
// A fetch tells how far the topic was readable when it was answered. That place is never inside a change: the records of
// a transaction become readable together, and on the embedded broker a change is one batch. Nor is it before a record
// that made compaction drop an earlier one. On the way there, both can be so. Therefore a snapshot is taken at such a
// place, and nowhere else.
type follower struct {
	logger *slog.Logger
	latest *Snapshot // the one taken last
	draft  *Snapshot // ahead of latest
	edit   *edit
	next   int64       // offset after the last record in draft
	recent recentNames // of the changes in draft
}

func newFollower(logger *slog.Logger) *follower {
	empty := newSnapshot()
	return &follower{logger: logger, latest: empty, draft: empty.draft(), edit: new(edit)}
}

// add takes the records of a fetch, control records included, and reports whether there is a new snapshot: latest.
func (f *follower) add(records []*kgo.Record, readable int64) bool {
	for _, record := range records {
		f.next = record.Offset + 1
		if !record.Attrs.IsControl() {
			f.apply(record)
		}
	}
	if f.next < readable {
		return false
	}
	f.latest, f.draft, f.edit = f.draft, f.draft.draft(), new(edit)
	return true
}

// apply adds one record. One that cannot be read is skipped: what was there before it stays, the other entries must
// still work, and a writer must not write over it. Roles that would do wrong without it ask the snapshot for such: see
// Foreign.
func (f *follower) apply(record *kgo.Record) {
	key := string(record.Key)
	f.recent.add(changeOf(record))
	if record.Value == nil {
		f.draft.remove(f.edit, key)
		return
	}
	entry, isWhole, err := decodeEntry(key, record.Value)
	if err != nil {
		f.draft.unreadable.set(f.edit, key, unreadable{err.Error(), schemas.IsOtherVersion(err)})
		f.logger.Warn("skipping a catalog record that this version cannot read; upgrade it, or delete what the record holds with the version that wrote it",
			"offset", record.Offset, "key", key, "error", err)
		return
	}
	f.draft.put(f.edit, key, entry)
	if !isWhole {
		f.draft.partly.set(f.edit, key, struct{}{})
	}
}

func changeOf(record *kgo.Record) string {
	for _, header := range record.Headers {
		if header.Key == changeHeader {
			return string(header.Value)
		}
	}
	return ""
}

// recentNames remembers the names of the last changes.
type recentNames struct {
	ring  [64]string
	count int
}

func (r *recentNames) add(name string) {
	if name == "" || r.count > 0 && r.ring[(r.count-1)%len(r.ring)] == name {
		return
	}
	r.ring[r.count%len(r.ring)] = name
	r.count++
}

func (r *recentNames) has(name string) bool {
	for _, known := range r.ring {
		if known == name {
			return true
		}
	}
	return false
}

// catalogRecord is the record of one changed thing; without an entry it deletes.
func catalogRecord(topic, key, changeID string, value []byte) *kgo.Record {
	return &kgo.Record{
		Topic: topic, Partition: partition, Key: []byte(key), Value: value,
		Headers: []kgo.RecordHeader{{Key: changeHeader, Value: []byte(changeID)}},
	}
}

// auditRecord is the record of who changed it.
func auditRecord(topic, key string, entry schemas.AuditEntry) (*kgo.Record, error) {
	value, err := schemas.Encode(entry)
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Topic: topic, Partition: partition, Key: []byte(key), Value: value}, nil
}
