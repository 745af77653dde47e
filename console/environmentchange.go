package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// What the forms of environments do.

// environmentBody is what was posted, as the API takes it.
func environmentBody(posted form) map[string]any {
	return map[string]any{
		"name": posted.Value("name"), "description": posted.Value("description"),
		"workflow_api": map[string]any{
			"kind": posted.Value("workflow_api.kind"), "order": posted.Value("workflow_api.order"),
			"base_url": posted.Value("workflow_api.base_url"), "api_key": posted.Value("workflow_api.api_key"),
			"concurrency": wholeNumber(posted.Value("workflow_api.concurrency")), "rate_limit": decimal(posted.Value("workflow_api.rate_limit")),
		},
	}
}

// decimal is the number that was typed, as wholeNumber is.
func decimal(text string) any {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n-n != 0 { // JSON has no NaN and no infinity
		return text
	}
	return n
}

func (w *Console) newEnvironment(c *fiber.Ctx) error {
	made := environmentPage{}
	made.Form.Values = environmentValues(schemas.Environment{Workflows: schemas.WorkflowAPI{}.WithDefaults()})
	return w.showNewEnvironment(c, fiber.StatusOK, made)
}

func (w *Console) showNewEnvironment(c *fiber.Ctx, status int, shown environmentPage) error {
	return w.show(c, status, page{Name: "newenvironment", Title: "New environment", Section: "/settings", Tab: "/settings", Content: shown})
}

func (w *Console) createEnvironment(c *fiber.Ctx) error {
	posted := readForm(c)
	var created schemas.Environment
	call := api.Call{Method: http.MethodPost, Path: "/environments", Body: environmentBody(posted)}
	if err := visitorOf(c).client.Do(c.UserContext(), call, &created); err != nil {
		status, shown := posted.refuse(err, environmentInputs()...)
		if !shown {
			return err
		}
		return w.showNewEnvironment(c, status, environmentPage{Form: posted})
	}
	return done(c, environmentPath(created.Name), "environment-created")
}

// environmentPath is the page of an environment.
func environmentPath(name string) string { return "/settings/environments/" + url.PathEscape(name) }

func (w *Console) updateEnvironment(c *fiber.Ctx) error {
	posted := readForm(c)
	var updated schemas.Environment
	call := api.Call{Method: http.MethodPatch, Path: api.Path("environments", unescaped(c, "name")), Body: environmentBody(posted)}
	call.Revision, _ = strconv.ParseInt(posted.Value("revision"), 10, 64)
	if err := visitorOf(c).client.Do(c.UserContext(), call, &updated); err != nil {
		return w.showRefusedEnvironment(c, posted, err, func(page *environmentPage) *form { return &page.Form })
	}
	return done(c, environmentPath(updated.Name), "environment-saved")
}

func (w *Console) deleteEnvironment(c *fiber.Ctx) error {
	posted := readForm(c)
	if posted.Value("sure") != "on" {
		return fiber.NewError(fiber.StatusUnprocessableEntity, "Nothing was deleted: tick that it is meant to be.")
	}
	call := api.Call{Method: http.MethodDelete, Path: api.Path("environments", unescaped(c, "name"))}
	call.Revision, _ = strconv.ParseInt(posted.Value("revision"), 10, 64)
	if err := visitorOf(c).client.Do(c.UserContext(), call, nil); err != nil {
		return w.showRefusedEnvironment(c, posted, err, func(page *environmentPage) *form { return &page.Deletion })
	}
	return done(c, "/settings", "environment-deleted")
}

// showRefusedEnvironment shows the page again, with what is wrong at the form that was posted.
func (w *Console) showRefusedEnvironment(c *fiber.Ctx, posted form, err error, at func(*environmentPage) *form) error {
	status, shown := posted.refuse(err, environmentInputs()...)
	if !shown {
		return err
	}
	page, err := w.readEnvironment(c)
	if err != nil {
		return err
	}
	if status == http.StatusPreconditionFailed {
		posted.Problem = "Somebody else has changed the environment since this page was loaded. What it is now stands below; change it again where need be."
		posted.Values = at(&page).Values
	}
	*at(&page) = posted
	return w.showEnvironmentAs(c, status, page)
}
