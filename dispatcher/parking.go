package dispatcher

import (
	"time"

	"github.com/millrace/millrace/schemas"
)

// A run that waits, and a dead letter, remember their attempts within these bounds: a record has to fit into a message
// of a broker's default size beside a run of any size.
const (
	rememberedAttempts = 40 // more than the retry topics let happen in 20 h, after the first two minutes
	rememberedError    = 200
)

// note remembers an attempt.
func (v *visit) note(d schemas.Delivery) {
	v.attempts = append(v.attempts, schemas.Attempt{
		Attempt: d.Attempt, AttemptedAt: d.AttemptedAt.Truncate(time.Millisecond), LatencyMs: d.LatencyMs, StatusCode: d.StatusCode,
		Error: d.Error[:min(len(d.Error), rememberedError)],
	})
	if excess := len(v.attempts) - rememberedAttempts; excess > 0 {
		v.attempts = v.attempts[excess:]
	}
}

// number returns the number of the next attempt.
func (v *visit) number() int {
	if len(v.attempts) == 0 {
		return 1
	}
	return v.attempts[len(v.attempts)-1].Attempt + 1
}

// tier returns the retry topic for a run that has to wait at least so long, and for how long it waits there: each time
// the next one, and the last one over and over.
func (c *courier) tier(j *job, wait time.Duration) (topic string, waits time.Duration) {
	tiers := c.config.tiers()
	at := min(j.meta.Parked, len(tiers)-1)
	for at < len(tiers)-1 && tiers[at].Wait < wait {
		at++
	}
	return tiers[at].Topic, tiers[at].Wait
}

// park puts a run into a retry topic, from where it comes back after its wait. The lane it leaves goes on.
func (c *courier) park(j *job, v *visit, wait time.Duration) {
	topic, wait := c.tier(j, wait)
	meta := j.meta
	meta.Key, meta.Parked, meta.Attempts, meta.Due = j.key, meta.Parked+1, v.attempts, time.Now().Add(wait)
	j.isParked = true
	c.metrics.parked.Inc()
	c.records.parked(j, topic, meta)
}

// passOver puts a run that there was no place for into the first retry topic, from where it is read in its turn. It has
// not been tried, and counts as not parked.
func (c *courier) passOver(j *job) {
	meta := j.meta
	meta.Key, meta.Due = j.key, time.Now()
	c.metrics.passedOver.Inc()
	c.records.parked(j, c.config.tiers()[0].Topic, meta)
	j.release()
}
