package console

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// A dry run may take as long as the replay would. A script asks for it line by line, shows how far it is and can end it;
// without a script the form waits, for less long.

// dryRunWait is how long a form waits for a dry run without a script. The API does not learn that its browser is gone, and
// makes two dry runs at once, so that it must be short.
const dryRunWait = 2 * time.Minute

// errDryRunWait is why the form did not wait any longer.
var errDryRunWait = errors.New("the form does not wait any longer")

// dryRun answers a form with what its dry run has found.
func (w *Console) dryRun(process context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		posted, who := readForm(c), visitorOf(c)
		ctx, cancel := context.WithTimeoutCause(process, dryRunWait, errDryRunWait)
		defer cancel()
		found, err := who.client.DryRun(ctx, replayOrder(posted.Values), func(api.ReplayProgress) {})
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		status, shown, err := dryRunPage(process, who, posted, found, err)
		if err != nil {
			return err
		}
		return w.show(c, status, shown)
	}
}

// dryRunPage is the form with what its dry run has found, or with why it has found nothing.
func dryRunPage(process context.Context, who visitor, posted form, found api.DryRun, failed error) (int, page, error) {
	ctx, cancel := context.WithTimeout(process, requestTimeout) // that of the request may be over
	defer cancel()
	status := fiber.StatusOK
	if failed != nil {
		if refusedWith(failed, http.StatusUnauthorized) {
			return 0, page{}, failed
		}
		status = posted.refuseDryRun(failed)
	}
	shown, err := readNewReplay(ctx, who.client, posted)
	if err != nil {
		return 0, page{}, err
	}
	if failed == nil {
		shown.Found = viewDryRun(found, posted.Values, shown.Triggers)
	}
	return status, pageOf(shown), nil
}

// refuseDryRun says in the form why there is no dry run, and returns the status to answer with.
func (f *form) refuseDryRun(err error) int {
	var refused *api.RefusedError
	switch {
	case errors.Is(err, errDryRunWait):
		f.Problem = "The dry run took more than two minutes, for which a page without scripts does not wait. Give a shorter time, " +
			"allow scripts, or ask `millrace replay create --dry-run`. Nothing was created."
		return fiber.StatusGatewayTimeout
	case refusedWith(err, http.StatusTooManyRequests):
		f.Problem = "Two dry runs are under way already, which is the most that the API makes at once. Try again when one of them has ended. Nothing was created."
		return fiber.StatusTooManyRequests
	case errors.As(err, &refused):
		f.refuse(err, replayInputs()...)
		return cmp.Or(refused.Status, fiber.StatusUnprocessableEntity) // a dry run that failed on its way has none
	}
	message, _, _ := strings.Cut(err.Error(), "\n") // the rest is for a command line
	f.Problem = sentence(message)
	return fiber.StatusBadGateway
}

// dryRunLine is a line of a dry run for a script: how far it is, or at its end the page.
type dryRunLine struct {
	Percent *float64 `json:"percent,omitempty"` // nil where nobody knows
	Text    string   `json:"text,omitempty"`
	Page    string   `json:"page,omitempty"`
}

// dryRunLive answers a script with a line twice a second. The dry run ends when the browser takes no more.
func (w *Console) dryRunLive(process context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		select {
		case w.tails <- struct{}{}:
		default:
			return fiber.NewError(fiber.StatusServiceUnavailable, "There are too many live views at once; close one, or try again later.")
		}
		posted, who, address := readForm(c), visitorOf(c), again(c)
		c.Set(fiber.HeaderContentType, "application/x-ndjson")
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set("X-Accel-Buffering", "no") // a proxy may hold nothing back
		c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
			defer func() { <-w.tails }()
			if err := w.streamDryRun(process, out, who, posted, address); err != nil {
				w.logger.Error("making a dry run for the console", "error", err)
			}
		})
		return nil
	}
}

func (w *Console) streamDryRun(process context.Context, out *bufio.Writer, who visitor, posted form, address string) error {
	ctx, cancel := context.WithCancel(process)
	defer cancel()
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	found, err := who.client.DryRun(ctx, replayOrder(posted.Values), func(now api.ReplayProgress) {
		if lines.Encode(lineOf(now)) != nil || out.Flush() != nil {
			cancel() // nobody reads it
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	_, shown, err := dryRunPage(process, who, posted, found, err)
	if err != nil {
		return err
	}
	html, err := w.write(shown, who, address)
	if err != nil {
		return err
	}
	_ = lines.Encode(dryRunLine{Page: string(html)})
	_ = out.Flush() // a browser that is gone by now misses nothing
	return nil
}

// lineOf says how far a dry run is.
func lineOf(now api.ReplayProgress) dryRunLine {
	if now.Total == 0 {
		return dryRunLine{Text: "Looking for where the time begins…"}
	}
	parts := []string{number(now.Done) + " of " + number(now.Total) + " records read", number(now.Created) + " runs so far"}
	if left := leftOf(&now); left != "" {
		parts = append(parts, left+" left")
	}
	return dryRunLine{Percent: &now.Percent, Text: strings.Join(parts, " · ")}
}
