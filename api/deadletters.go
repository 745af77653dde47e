package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
)

// Looking at runs that were given up.

func (a *API) listDeadLetters(c *fiber.Ctx) error {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	since, err := queryTime(c, "since")
	if err != nil {
		return err
	}
	until, err := queryTime(c, "until")
	if err != nil {
		return err
	}
	code, err := statusCode(c)
	if err != nil {
		return err
	}
	found, err := a.log.DeadLetters(c.UserContext(), query.DeadLetterFilter{
		Environment: c.Query("environment"), Source: sourceID, Workflow: c.Query("workflow"), State: query.DeadLetterState(c.Query("state")),
		StatusCode: code, Text: c.Query("text"), Since: since, Until: until, Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

// statusCode reads the status code of the query string; nil stands for any.
func statusCode(c *fiber.Ctx) (*int, error) {
	text := c.Query("status_code")
	if text == "" {
		return nil, nil
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		return nil, &query.FilterError{Field: "status_code", Message: "must be a number such as 400, or 0 for no answer"}
	}
	return &code, nil
}

func (a *API) getDeadLetter(c *fiber.Ctx) error {
	found, err := a.log.DeadLetter(c.UserContext(), c.Params("run_id"))
	if err != nil {
		return err
	}
	return c.JSON(found)
}
