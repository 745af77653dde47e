package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Parts of pages that count events may take a second over many. A page waits for them for a moment, comes without those
// that are not ready, and asks for itself again with the parameter wait, by a script or, without, by a header of its own.

// partTime is how long a page waits for its parts at first.
const partTime = 100 * time.Millisecond

// waitParameter has a page wait for its parts for as long as the API may take.
const waitParameter = "wait"

// errLater is why a part is not there yet.
var errLater = errors.New("this part of the page comes later")

// inTime is the context in which the parts of a page are asked for. A page that answers a form has no address at which it
// could be asked for again: it comes whole.
func inTime(c *fiber.Ctx) (context.Context, context.CancelFunc) {
	if c.Query(waitParameter) != "" || c.Method() == fiber.MethodPost {
		return context.WithCancel(c.UserContext())
	}
	return context.WithTimeoutCause(c.UserContext(), partTime, errLater)
}

// part is a part of a page that comes, fails or is late on its own.
type part[T any] struct {
	Value   T
	Failed  *failure
	Loading bool
}

// ask fills the part with an answer in the context of inTime. That the API no longer knows the visitor is an error of the
// page; the rest is the part's.
func (p *part[T]) ask(ctx context.Context, value T, err error) error {
	switch {
	case err == nil:
		p.Value = value
	case refusedWith(err, http.StatusUnauthorized):
		return err
	case errors.Is(context.Cause(ctx), errLater):
		p.Loading = true
	default:
		failed := explain(err)
		p.Failed = &failed
	}
	return nil
}

// again is the address of the page with all its parts.
func again(c *fiber.Ctx) string {
	path, query, _ := strings.Cut(c.OriginalURL(), "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return path
	}
	values.Set(waitParameter, "1")
	return path + "?" + values.Encode()
}
