package replay

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/millrace/millrace/schemas"
)

// pace keeps this process's share of a replay's rate, in runs: that of its partitions among all that have something to
// read. What a process does not use of its share, nobody else does.
type pace struct {
	rate    float64 // of the replay, 0 for unlimited
	spans   map[int32]bool
	limiter *rate.Limiter
}

// paceTime is for how long a round may write at the rate.
const paceTime = 500 * time.Millisecond

func newPace(replay schemas.Replay) *pace {
	p := &pace{rate: replay.Rate, spans: map[int32]bool{}}
	for _, span := range replay.Partitions {
		if span.Start < span.End {
			p.spans[span.Partition] = true
		}
	}
	if p.rate == 0 {
		return p
	}
	// A round may write more than paceTime allows for by the runs of an event and partition; it is then waited for.
	burst := int(p.rate*paceTime.Seconds()) + len(replay.Triggers)*(len(p.spans)+1) + 1
	p.limiter = rate.NewLimiter(0, burst)
	p.limiter.AllowN(time.Now(), burst) // nothing was saved up
	return p
}

// share takes over that so many partitions are this process's.
func (p *pace) share(own map[int32]*partition) {
	if p.limiter == nil {
		return
	}
	count := 0
	for number := range own {
		if p.spans[number] {
			count++
		}
	}
	p.limiter.SetLimit(rate.Limit(p.rate * float64(count) / float64(max(1, len(p.spans)))))
}

// runs returns how many runs a round may write.
func (p *pace) runs() int {
	if p.limiter == nil {
		return math.MaxInt
	}
	return max(1, int(float64(p.limiter.Limit())*paceTime.Seconds()))
}

// after returns how long to wait after so many runs.
func (p *pace) after(runs int) time.Duration {
	if p.limiter == nil || runs == 0 {
		return 0
	}
	return p.limiter.ReserveN(time.Now(), runs).Delay()
}
