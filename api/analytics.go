package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Counting and measuring what the event log holds.

// selection reads which events are meant.
func (a *API) selection(c *fiber.Ctx) (query.Selection, error) {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return query.Selection{}, err
	}
	since, err := queryTime(c, "since")
	if err != nil {
		return query.Selection{}, err
	}
	until, err := queryTime(c, "until")
	if err != nil {
		return query.Selection{}, err
	}
	return query.Selection{
		Source: sourceID, Environment: c.Query("environment"), Event: c.Query("event"), Status: schemas.Status(c.Query("status")),
		MessageID: c.Query("message_id"), UserID: c.Query("user_id"), Text: c.Query("q"), Where: queryList(c, "where"), Since: since, Until: until,
	}, nil
}

// queryList reads a parameter that can be repeated.
func queryList(c *fiber.Ctx, name string) []string {
	var values []string
	for _, value := range c.Context().QueryArgs().PeekMulti(name) {
		values = append(values, string(value))
	}
	return values
}

// queryCount reads a number from 1 to most; 0 stands for none.
func queryCount(c *fiber.Ctx, name string, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > most {
		return 0, &query.FilterError{Field: name, Message: "must be a number from 1 to " + strconv.Itoa(most)}
	}
	return count, nil
}

func (a *API) getSeries(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	top, err := queryCount(c, "top", query.MaxTop)
	if err != nil {
		return err
	}
	found, err := a.log.Series(c.UserContext(), query.SeriesFilter{
		Selection: selection, By: c.Query("by"), Trigger: c.Query("trigger"), Interval: query.Interval(c.Query("interval")), Top: top,
	})
	if err != nil {
		return err
	}
	return c.JSON(found)
}

func (a *API) getTop(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	limit, err := limit(c)
	if err != nil {
		return err
	}
	found, err := a.log.Top(c.UserContext(), query.TopFilter{Selection: selection, By: c.Query("by"), Limit: limit})
	if err != nil {
		return err
	}
	return c.JSON(found)
}

func (a *API) getLatency(c *fiber.Ctx) error {
	since, err := queryTime(c, "since")
	if err != nil {
		return err
	}
	until, err := queryTime(c, "until")
	if err != nil {
		return err
	}
	found, err := a.log.Latency(c.UserContext(), query.LatencyFilter{
		Environment: c.Query("environment"), Workflow: c.Query("workflow"), Since: since, Until: until, Interval: query.Interval(c.Query("interval")),
	})
	if err != nil {
		return err
	}
	return c.JSON(found)
}

func (a *API) getDedup(c *fiber.Ctx) error {
	selection, err := a.selection(c)
	if err != nil {
		return err
	}
	found, err := a.log.Dedup(c.UserContext(), query.DedupFilter{
		Source: selection.Source, Environment: selection.Environment, Event: selection.Event, Triggers: queryList(c, "trigger"),
		Since: selection.Since, Until: selection.Until, Interval: query.Interval(c.Query("interval")),
	})
	if err != nil {
		return err
	}
	return c.JSON(found)
}
