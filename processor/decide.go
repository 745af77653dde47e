package processor

import (
	"slices"
	"time"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// decision is what is written for one event. It is used again for the next one.
type decision struct{ *rules.Draft }

func newDecision() decision { return decision{rules.NewDraft()} }

// consider asks the triggers that are bound to the event, notes what each did, and returns how long they took.
func (d decision) consider(meta schemas.EventMeta, body []byte, bound *binding) (took time.Duration) {
	if len(bound.triggers) == 0 {
		d.Status = schemas.NoTrigger
		return 0
	}
	d.Look(meta, body, bound.source)
	for group := range slices.Chunk(bound.triggers, timedTogether) {
		start := time.Now()
		for _, trigger := range group {
			if trigger.isOff.Load() {
				d.Note(trigger.Bound, schemas.ConditionError, reasonOff)
				continue
			}
			d.Ask(trigger.Bound)
		}
		elapsed := time.Since(start)
		took += elapsed
		d.consideredIn(elapsed, group)
	}
	return took
}
