package dispatcher

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// schedule says how long one run waits before its next attempt.
type schedule struct {
	waits         backoff.ExponentialBackOff
	maxRetryAfter time.Duration
}

// newSchedule spreads each wait evenly between nothing and its longest ("full jitter"), so that runs that failed
// together do not come back together. The library spreads around a middle, hence the halves.
func newSchedule(config Config) *schedule {
	return &schedule{
		waits: backoff.ExponentialBackOff{
			InitialInterval:     config.FirstRetry / 2,
			MaxInterval:         config.MaxRetry / 2,
			Multiplier:          2,
			RandomizationFactor: 1,
		},
		maxRetryAfter: config.MaxRetryAfter,
	}
}

// next returns the wait after one more failed attempt. What the API asked for wins, up to the limit.
func (s *schedule) next(retryAfter time.Duration) time.Duration {
	wait := s.waits.NextBackOff()
	if retryAfter > 0 {
		return min(retryAfter, s.maxRetryAfter)
	}
	return wait
}

// parseRetryAfter reads the value of a Retry-After header, which is a number of seconds or a date. It returns 0 for
// anything else, and for a date that has passed.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), math.MaxInt64/int64(time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
