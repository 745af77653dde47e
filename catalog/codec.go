package catalog

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// Record keys are the kind and the ID, so that compaction keeps the last state of each thing.
const (
	environmentKind = "environment"
	sourceKind      = "source"
	triggerKind     = "trigger"
	replayKind      = "replay"
)

func environmentKey(name string) string { return environmentKind + "/" + name }
func sourceKey(id string) string        { return sourceKind + "/" + id }
func triggerKey(id string) string       { return triggerKind + "/" + id }
func replayKey(id string) string        { return replayKind + "/" + id }

func splitKey(key string) (kind, id string) {
	kind, id, _ = strings.Cut(key, "/")
	return kind, id
}

func entryKey(entry schemas.CatalogEntry) string {
	switch {
	case entry.Environment != nil:
		return environmentKey(entry.Environment.Name)
	case entry.Source != nil:
		return sourceKey(entry.Source.ID)
	case entry.Trigger != nil:
		return triggerKey(entry.Trigger.ID)
	case entry.Replay != nil:
		return replayKey(entry.Replay.ID)
	}
	return ""
}

// decodeEntry reads a record's value. It fails when the value holds another thing than the key says. isWhole is false where
// the record has members that this version does not know.
func decodeEntry(key string, value []byte) (entry schemas.CatalogEntry, isWhole bool, err error) {
	entry, isWhole, err = schemas.DecodeEntry(value)
	if err != nil {
		return entry, false, err
	}
	if entryKey(entry) != key {
		return entry, false, fmt.Errorf("a catalog record with the key %q holds something else; a newer Millrace may read it", key)
	}
	if entry.Environment != nil {
		entry.Environment.Workflows = entry.Environment.Workflows.WithDefaults()
	}
	return entry, isWhole, nil
}
