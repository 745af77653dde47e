package dispatcher

import (
	"net/http"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestWaitsGrowToTheirLimitWithFullJitter(t *testing.T) {
	config := Config{FirstRetry: 500 * time.Millisecond, MaxRetry: time.Minute, MaxRetryAfter: time.Hour}
	var longest [10]time.Duration
	for range 3000 {
		waits := newSchedule(config)
		for i := range longest {
			longest[i] = max(longest[i], waits.next(0))
		}
	}
	for i, most := range longest {
		limit := min(config.FirstRetry<<i, config.MaxRetry)
		if most > limit+time.Nanosecond || most < limit*9/10 {
			t.Errorf("longest wait before attempt %d is %s, want just below %s", i+2, most, limit)
		}
	}
}

func TestWhatTheAPIAskedForWinsUpToTheLimit(t *testing.T) {
	waits := newSchedule(Config{FirstRetry: time.Hour, MaxRetry: time.Hour, MaxRetryAfter: 10 * time.Minute})
	f := func(asked, want time.Duration) {
		t.Helper()
		if got := waits.next(asked); got != want {
			t.Errorf("asked for %s: got %s, want %s", asked, got, want)
		}
	}
	f(time.Second, time.Second)
	f(9*time.Minute, 9*time.Minute)
	f(24*time.Hour, 10*time.Minute)
}

func TestRetryAfterIsRead(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := func(in string, want time.Duration) {
		t.Helper()
		if got := parseRetryAfter(in, now); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	f("", 0)
	f("0", 0)
	f("-5", 0)
	f("120", 2*time.Minute)
	f("1.5", 0)
	f("soon", 0)
	f("9223372036854775807", 9223372036*time.Second)
	f(now.Add(90*time.Second).Format(http.TimeFormat), 90*time.Second)
	f(now.Add(-time.Hour).Format(http.TimeFormat), 0)
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "1", "-1", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 9999 07:28:00 GMT"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if wait := parseRetryAfter(value, time.Now()); wait < 0 {
			t.Errorf("%q: %s", value, wait)
		}
	})
}

func TestStatusDecidesWhatBecomesOfARun(t *testing.T) {
	f := func(want schemas.DeliveryOutcome, statuses ...int) {
		t.Helper()
		for _, status := range statuses {
			got := answer{status: status}
			if got.outcome() != want || (got.reason() == "") != (want == schemas.Delivered) {
				t.Errorf("%d: %s, %q, want %s", status, got.outcome(), got.reason(), want)
			}
		}
	}
	f(schemas.Delivered, 200, 201, 202, 204, 299)
	f(schemas.Retrying, 408, 409, 425, 429, 500, 501, 502, 503, 504, 599)
	f(schemas.Dead, 101, 300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499)
}
