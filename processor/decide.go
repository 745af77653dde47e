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

// consider asks the triggers that are bound to the event and notes what each did.
func (d decision) consider(meta schemas.EventMeta, body []byte, bound *binding) {
	if len(bound.triggers) == 0 {
		d.Status = schemas.NoTrigger
		return
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
		d.consideredIn(time.Since(start), group)
	}
}
