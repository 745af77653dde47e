package dispatcher

import (
	"fmt"
	"net/http"
	"time"

	"github.com/millrace/millrace/schemas"
)

// answer is what came of one call: a status with the beginning of its body, or an error when there was none.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration // what the API asked for; 0 when it did not
	err        error
	isTimeout  bool // whether err says that there was no answer in time
	isUntold   bool // whether nobody had to be told about the run
}

// outcome says what becomes of a run after an answer. No answer, and the statuses that say "not now", are tried again;
// any other status would be the same next time.
func (a answer) outcome() schemas.DeliveryOutcome {
	switch {
	case a.err != nil:
		return schemas.Retrying
	case a.status >= 200 && a.status < 300:
		return schemas.Delivered
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly, a.status == http.StatusTooManyRequests:
		return schemas.Retrying
	case a.status == http.StatusConflict:
		return schemas.Retrying // an earlier call with this idempotency key is still under way
	case a.status >= 500:
		return schemas.Retrying
	}
	return schemas.Dead
}

// verdict says what the answer tells about the API.
func (a answer) verdict() verdict {
	switch {
	case a.isTimeout:
		return hung
	case a.err != nil, a.status >= 500:
		return failed
	}
	return answered
}

// reason says in words why the run was not delivered, and "" when it was.
func (a answer) reason() string {
	switch {
	case a.err != nil:
		return a.err.Error()
	case a.outcome() == schemas.Delivered:
		return ""
	case a.status >= 300 && a.status < 400:
		return fmt.Sprintf("the workflow API redirects (%s), which is not followed: set the base URL to where it leads", a.statusText())
	case a.outcome() == schemas.Dead:
		return fmt.Sprintf("the workflow API refuses the run: %s", a.statusText())
	}
	return fmt.Sprintf("the workflow API cannot take the run now: %s", a.statusText())
}

func (a answer) statusText() string {
	if text := http.StatusText(a.status); text != "" {
		return fmt.Sprintf("%d %s", a.status, text)
	}
	return fmt.Sprintf("%d", a.status)
}
