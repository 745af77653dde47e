package catalog

import (
	"hash/maphash"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryVersionOfATableStaysAsItWas makes random changes in random edits, and compares each version, and what lies
// between it and an earlier one, with maps.
func TestEveryVersionOfATableStaysAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		current := newTable[int, int](maphash.MakeSeed())
		model := map[int]int{}
		versions, models := []table[int, int]{current}, []map[int]int{{}}
		for range rapid.IntRange(1, 20).Draw(t, "edits") {
			e := new(edit)
			for range rapid.IntRange(0, 10).Draw(t, "changes") {
				key, value := rapid.IntRange(0, 1000).Draw(t, "key"), rapid.Int().Draw(t, "value")
				if rapid.Bool().Draw(t, "remove") {
					current.remove(e, key)
					delete(model, key)
				} else {
					current.set(e, key, value)
					model[key] = value
				}
			}
			versions, models = append(versions, current), append(models, maps.Clone(model))
		}
		for i := range versions {
			if got := maps.Collect(versions[i].all()); !maps.Equal(got, models[i]) || versions[i].size != len(models[i]) {
				t.Fatalf("version %d: %v, want %v", i, got, models[i])
			}
		}
		from, to := rapid.IntRange(0, len(versions)-1).Draw(t, "from"), len(versions)-1
		between := map[int]bool{}
		gone := maps.Clone(models[from])
		versions[to].since(&versions[from], func(a, b int) bool { return a == b },
			func(value int) { between[value] = true },
			func(key int) { delete(gone, key) })
		for key, value := range models[to] {
			if old, existed := models[from][key]; (!existed || old != value) && !between[value] {
				t.Fatalf("%d has changed since version %d, and is not told", key, from)
			}
		}
		for key := range gone {
			if _, exists := models[to][key]; !exists {
				t.Fatalf("%d is gone since version %d, and is not told", key, from)
			}
		}
	})
}
