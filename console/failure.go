package console

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// failure says what went wrong, for people, in a page or in a part of one.
type failure struct {
	Status int
	Title  string
	Detail string
	Field  string // the parameter at fault, where it is one
}

// refusedWith tells whether the API has refused with this status.
func refusedWith(err error, status int) bool {
	var refused *api.RefusedError
	return errors.As(err, &refused) && refused.Status == status
}

// explain finds the words for an error.
func explain(err error) failure {
	var refused *api.RefusedError
	var own *fiber.Error
	switch {
	case errors.As(err, &refused):
		return failure{refused.Status, titleOf(refused.Status), refused.Message, refused.Field}
	case errors.As(err, &own):
		return failure{own.Code, titleOf(own.Code), own.Message, ""}
	}
	return failure{http.StatusBadGateway, "The management API does not answer", "The console itself is up. Look whether `millrace api` runs, and whether --console-api-url points to it; then load this page again.", ""}
}

func titleOf(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "That cannot be asked for"
	case http.StatusUnauthorized:
		return "The login has ended"
	case http.StatusForbidden:
		return "Your token does not allow this"
	case http.StatusNotFound:
		return "There is no such thing here"
	case http.StatusConflict:
		return "That is still in use"
	case http.StatusPreconditionFailed:
		return "Somebody else was faster"
	case http.StatusServiceUnavailable:
		return "The event log or the catalog does not answer"
	}
	return fmt.Sprintf("That did not work (%d %s)", status, http.StatusText(status))
}

// answerError is where every failed request ends.
func (w *Console) answerError(c *fiber.Ctx, err error) error {
	failed := explain(err)
	if failed.Status >= http.StatusInternalServerError {
		w.logger.Error("showing a page of the console", "method", c.Method(), "path", c.Path(), "status", failed.Status, "error", err)
	}
	if failed.Status == http.StatusUnauthorized {
		forget(c)
		return c.Redirect("/login", fiber.StatusSeeOther)
	}
	if failed.Status == http.StatusNotFound && failed.Detail == fiber.ErrNotFound.Message {
		failed.Detail = "The address leads nowhere. The pages there are stand above."
	}
	return w.show(c, failed.Status, page{Name: "failure", Title: failed.Title, Content: failed})
}
