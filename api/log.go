package api

import (
	"encoding/json"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Reading the event log: events and runs.

// eventDetail adds the event itself to what the log knows about it: body has it byte for byte, raw as JSON to read.
type eventDetail struct {
	query.EventDetail
	Raw json.RawMessage `json:"raw"`
}

func (a *API) listEvents(c *fiber.Ctx) error {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	found, err := a.log.Events(c.UserContext(), query.EventFilter{
		Source: sourceID, Environment: c.Query("environment"), Event: c.Query("event"), Status: schemas.Status(c.Query("status")),
		MessageID: c.Query("message_id"), UserID: c.Query("user_id"), Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

func (a *API) getEvent(c *fiber.Ctx) error {
	found, err := a.log.Event(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(eventDetail{found, json.RawMessage(found.Body)})
}

func (a *API) listRuns(c *fiber.Ctx) error {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	found, err := a.log.Runs(c.UserContext(), query.RunFilter{
		Source: sourceID, Environment: c.Query("environment"), Workflow: c.Query("workflow"), Status: query.RunStatus(c.Query("status")),
		EventID: c.Query("event_id"), Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

func (a *API) getRun(c *fiber.Ctx) error {
	found, err := a.log.Run(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(found)
}

// limit reads the page size; 0 leaves it to the log.
func limit(c *fiber.Ctx) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return 0, nil
	}
	size, err := strconv.Atoi(text)
	if err != nil || size < 1 || size > query.MaxLimit {
		return 0, &query.FilterError{Field: "limit", Message: "must be a number from 1 to " + strconv.Itoa(query.MaxLimit)}
	}
	return size, nil
}
