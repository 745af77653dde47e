package catalog

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// Record keys: the kind and the ID, so that compaction keeps the last state of each thing.
func environmentKey(name string) string { return "environment/" + name }
func sourceKey(id string) string        { return "source/" + id }
func triggerKey(id string) string       { return "trigger/" + id }

func entryKey(entry schemas.CatalogEntry) string {
	switch {
	case entry.Environment != nil:
		return environmentKey(entry.Environment.Name)
	case entry.Source != nil:
		return sourceKey(entry.Source.ID)
	}
	return triggerKey(entry.Trigger.ID)
}

// decodeEntry reads a record's value. It fails when the value holds another thing than the key says.
func decodeEntry(key string, value []byte) (schemas.CatalogEntry, error) {
	entry, err := schemas.Decode[schemas.CatalogEntry](value)
	if err != nil {
		return entry, err
	}
	kind, _, _ := strings.Cut(key, "/")
	holds := map[string]bool{"environment": entry.Environment != nil, "source": entry.Source != nil, "trigger": entry.Trigger != nil}
	if !holds[kind] {
		return entry, fmt.Errorf("a catalog record with the key %q holds something else", key)
	}
	return entry, nil
}
