package catalog

import (
	"hash/maphash"
	"iter"
	"maps"
)

// fanOut is how many parts a table has. A change copies one part, and the list of them: at 10,000 entries a part holds
// 20, and a change takes about a microsecond.
const fanOut = 512

// table is a map of which older versions stay as they are when it changes: a copy of a table is another version, and the
// two share the parts that neither has changed since. Any number of goroutines may read versions that are not edited.
type table[K comparable, V any] struct {
	seed  maphash.Seed
	parts *[fanOut]part[K, V]
	owner *edit
	size  int
}

type part[K comparable, V any] struct {
	entries map[K]V
	owner   *edit
}

// edit is a series of changes that nobody else sees yet. What was copied for it is not copied again. It is over once a
// version that it made has been handed out. It is not empty, so that two edits have two addresses.
type edit struct{ _ byte }

func newTable[K comparable, V any](seed maphash.Seed) table[K, V] {
	return table[K, V]{seed: seed, parts: new([fanOut]part[K, V])}
}

func (t *table[K, V]) place(key K) uint64 { return maphash.Comparable(t.seed, key) % fanOut }

func (t *table[K, V]) get(key K) (V, bool) {
	value, found := t.parts[t.place(key)].entries[key]
	return value, found
}

func (t *table[K, V]) has(key K) bool {
	_, found := t.get(key)
	return found
}

func (t *table[K, V]) set(e *edit, key K, value V) {
	if !t.has(key) {
		t.size++
	}
	t.own(e, key)[key] = value
}

func (t *table[K, V]) remove(e *edit, key K) {
	if !t.has(key) {
		return
	}
	t.size--
	delete(t.own(e, key), key)
}

// own returns the part that the key is in, which only e changes.
func (t *table[K, V]) own(e *edit, key K) map[K]V {
	if t.owner != e {
		parts := *t.parts
		t.parts, t.owner = &parts, e
	}
	p := &t.parts[t.place(key)]
	if p.owner != e {
		p.entries, p.owner = maps.Clone(p.entries), e
	}
	if p.entries == nil {
		p.entries = map[K]V{}
	}
	return p.entries
}

// all goes over the entries, in no order.
func (t *table[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for i := range t.parts {
			for key, value := range t.parts[i].entries {
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

// since calls changed with each entry that is other than in an earlier version, and gone with each key that is there no
// more. It looks only into parts that have changed. What is compared are the values themselves: pointers by identity.
func (t *table[K, V]) since(before *table[K, V], isSame func(a, b V) bool, changed func(V), gone func(K)) {
	for i := range t.parts {
		now, then := &t.parts[i], &before.parts[i]
		if now.owner == then.owner {
			continue // an edit changes a part only until its version is handed out
		}
		for key, value := range now.entries {
			if old, existed := then.entries[key]; !existed || !isSame(old, value) {
				changed(value)
			}
		}
		for key := range then.entries {
			if _, exists := now.entries[key]; !exists {
				gone(key)
			}
		}
	}
}
