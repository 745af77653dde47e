package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// maxReasonBytes is what is left of each trigger's reason when a decision would be too large to write.
const maxReasonBytes = 200

// encode returns the decision's record, valid until the next call and made to fit: an event with thousands of triggers
// must not stop its partition. First the reasons are cut, then entries are left out, those of triggers that did nothing
// first.
func (d *Draft) encode() []byte {
	limit := maxRecordBytes - len(d.EventID)
	value := d.append()
	if len(value) <= limit {
		return value
	}
	d.Reason = fmt.Sprintf("the decision had %d bytes, at most %d are allowed; reasons are cut", len(value), limit)
	for i := range d.Triggers {
		d.Triggers[i].Reason = cutText(d.Triggers[i].Reason, maxReasonBytes)
	}
	if value = d.append(); len(value) <= limit {
		return value
	}
	all := len(d.Triggers)
	d.Triggers = fitting(d.Triggers, limit-len(value)+d.entryBytes()-256) // 256 is more than the reason below grows by
	d.Reason = fmt.Sprintf("%s, and %d of %d triggers are not listed", d.Reason, all-len(d.Triggers), all)
	return d.append()
}

func (d *Draft) append() []byte {
	d.scratch = schemas.AppendDecision(d.scratch[:0], &d.Decision)
	return d.scratch
}

// entryBytes is what the trigger entries take.
func (d *Draft) entryBytes() int {
	bytes := 0
	for i := range d.Triggers {
		bytes += entrySize(&d.Triggers[i])
	}
	return bytes
}

func entrySize(entry *schemas.TriggerDecision) int {
	return len(schemas.AppendTriggerDecision(nil, entry)) + len(",")
}

// fitting returns the entries that fit in so many bytes, in their order. Those that tell more are preferred.
func fitting(entries []schemas.TriggerDecision, room int) []schemas.TriggerDecision {
	keep := make([]bool, len(entries))
	for _, telling := range []bool{true, false} {
		for i := range entries {
			if size := entrySize(&entries[i]); isTelling(entries[i].Outcome) == telling && size <= room {
				keep[i] = true
				room -= size
			}
		}
	}
	i := 0
	return slices.DeleteFunc(entries, func(schemas.TriggerDecision) bool {
		i++
		return !keep[i-1]
	})
}

// isTelling tells the outcomes that somebody will ask for: a run was made, or should have been.
func isTelling(outcome schemas.Outcome) bool {
	switch outcome {
	case schemas.ConditionFalse, schemas.Inactive:
		return false
	default:
		return true
	}
}

// cutText shortens text to so many bytes, at the edge of a character.
func cutText(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "") + "…"
}
