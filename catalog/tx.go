package catalog

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// Tx is a change that is being put together: it reads as if what was put were saved already. Nobody else sees any of it
// before all of it is written, and if anything in it is wrong, none of it is. A Tx is for one goroutine.
type Tx struct {
	keys    *Keys
	id      string    // of the change
	actor   string    // who is behind it
	at      time.Time // when it is made
	base    *Snapshot
	view    *Snapshot         // base with the changes
	edit    *edit             // of view
	changed []string          // record keys, in the order of their first change
	values  map[string][]byte // by record key what is to be written, nil to delete
	renamed map[string]string // from the record key of what was renamed to the one it had
}

func newTx(base *Snapshot, keys *Keys, actor string, at time.Time) *Tx {
	return &Tx{
		keys: keys, id: uuid.Must(uuid.NewV7()).String(), actor: actor, at: at,
		base: base, view: base.draft(), edit: new(edit), values: map[string][]byte{}, renamed: map[string]string{},
	}
}

// Snapshot returns the catalog as it would be. It does not follow later changes.
func (tx *Tx) Snapshot() *Snapshot {
	// view is handed out; what comes goes into a copy.
	handedOut := tx.view
	tx.view, tx.edit = handedOut.draft(), new(edit)
	return handedOut
}

func (tx *Tx) put(entry schemas.CatalogEntry) error {
	key := entryKey(entry)
	if err := tx.touchable(key); err != nil {
		return err
	}
	if tx.view.partly.has(key) {
		return foreign("%s has settings that this version does not know and would drop; change it with the version that made them, or upgrade this process first", key)
	}
	entry.Schema = schemas.Version
	value, err := schemas.Encode(entry)
	if err != nil {
		return fmt.Errorf("saving %s: %w", key, err)
	}
	if len(value) > maxEntryBytes {
		return tooLarge(entry, len(value))
	}
	tx.touch(key, value)
	tx.view.put(tx.edit, key, entry)
	return nil
}

func (tx *Tx) remove(key string) error {
	if err := tx.touchable(key); err != nil {
		return err
	}
	tx.touch(key, nil)
	tx.view.remove(tx.edit, key)
	return nil
}

func (tx *Tx) touch(key string, value []byte) {
	if _, known := tx.values[key]; !known {
		tx.changed = append(tx.changed, key)
	}
	tx.values[key] = value
}

// touchable refuses to write over a record that this version cannot read: what it holds would be lost.
func (tx *Tx) touchable(key string) error {
	record, isUnreadable := tx.view.unreadable.get(key)
	if !isUnreadable {
		return nil
	}
	return foreign("%s is in the catalog in a form that this version cannot read; change it with the version that wrote it: %s", key, record.reason)
}

// seesAll refuses what needs to know everything that refers to a thing while there are records that cannot be read.
func (tx *Tx) seesAll(what string) error {
	for key := range tx.view.unreadable.all() {
		return foreign("%s: the record %s, which this version cannot read, may refer to it; do it with the version that wrote that", what, key)
	}
	return nil
}

// userOf returns the ID of some trigger that matches, for a message.
func (tx *Tx) userOf(matches func(*schemas.Trigger) bool) string {
	for id, trigger := range tx.view.triggers.all() {
		if matches(trigger) {
			return id
		}
	}
	return ""
}
