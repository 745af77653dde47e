package api

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Reading the event log: events, runs and refused requests.

// eventDetail adds the event itself to what the log knows about it: body has it byte for byte, raw as JSON to read.
type eventDetail struct {
	query.EventDetail
	Raw json.RawMessage `json:"raw"`
}

func (a *API) listEvents(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	if c.Query("after") != "" {
		return a.followEvents(c, selection, limit)
	}
	found, err := a.log.Events(c.UserContext(), query.EventFilter{
		Selection: selection, IDs: queryList(c, "id"), Trigger: c.Query("trigger"), Outcomes: outcomes(c), Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

// outcomes reads what the trigger that is asked for came to.
func outcomes(c *fiber.Ctx) []schemas.Outcome {
	var asked []schemas.Outcome
	for _, text := range queryList(c, "outcome") {
		asked = append(asked, schemas.Outcome(text))
	}
	return asked
}

// followEvents lists what became visible after a time, or after the answer before.
func (a *API) followEvents(c *fiber.Ctx, selection query.Selection, limit int) error {
	for _, other := range []string{"cursor", "id", "trigger", "outcome"} {
		if c.Query(other) != "" {
			return &query.FilterError{Field: other, Message: "has no meaning beside after"}
		}
	}
	asked := query.FollowFilter{Selection: selection, Limit: limit}
	from, err := queryTime(c, "after")
	if err != nil { // then it is a cursor, or the log says that it is neither
		asked.Cursor = c.Query("after")
	}
	asked.From = from
	found, err := a.log.Follow(c.UserContext(), asked)
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
	query.MarkPublished(found.Runs, a.uncalled())
	return c.JSON(eventDetail{found, json.RawMessage(found.Body)})
}

func (a *API) listRuns(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	found, err := a.log.Runs(c.UserContext(), query.RunFilter{
		Source: selection.Source, Environment: selection.Environment, Workflow: c.Query("workflow"), Status: query.RunStatus(c.Query("status")),
		EventID: c.Query("event_id"), Trigger: c.Query("trigger"), Recipient: c.Query("recipient"), Tenant: c.Query("tenant"), Replay: c.Query("replay"),
		Since: selection.Since, Until: selection.Until, Limit: limit, Cursor: c.Query("cursor"), Uncalled: a.uncalled(),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

func (a *API) listRejections(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	found, err := a.log.Rejections(c.UserContext(), query.RejectionFilter{
		Source: selection.Source, Environment: selection.Environment, Code: c.Query("code"),
		Since: selection.Since, Until: selection.Until, Limit: limit, Cursor: c.Query("cursor"),
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
	one := []query.RunItem{found.RunItem}
	query.MarkPublished(one, a.uncalled())
	found.RunItem = one[0]
	return c.JSON(found)
}

// uncalled are the names of the environments whose runs others consume from the topic.
func (a *API) uncalled() []string {
	var names []string
	for _, environment := range a.reader.Snapshot().Environments() {
		if environment.Workflows.Kind == schemas.WorkflowNone {
			names = append(names, environment.Name)
		}
	}
	return names
}

// limit reads the page size; 0 leaves it to the log.
func limit(c *fiber.Ctx) (int, error) { return queryCount(c, "limit", query.MaxLimit) }
