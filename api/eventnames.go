package api

import (
	"context"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// The catalog of what was received: the names of events, and the paths that lead to something in them.

func (a *API) listEventNames(c *fiber.Ctx) error {
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
	found, err := a.log.Names(c.UserContext(), query.NameFilter{
		Source: sourceID, Environment: c.Query("environment"), Since: since, Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

// Properties is a list of properties and of how many events it tells.
type Properties struct {
	list[rules.Property]
	Events int  `json:"events"` // that were looked at, the latest
	IsCut  bool `json:"cut"`    // there are more paths than are listed
}

// listProperties tells what the latest events of a name have in them; the name * stands for every event.
func (a *API) listProperties(c *fiber.Ctx) error {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return &query.FilterError{Field: "name", Message: "not percent-encoded as a part of a URL is"}
	}
	sourceID, err := a.sourceID(c)
	if err != nil {
		return err
	}
	last, err := lastEvents(c)
	if err != nil {
		return err
	}
	events, err := a.recent(c.UserContext(), eventName{environment: c.Query("environment"), sourceID: sourceID, event: name}, last)
	if err != nil {
		return err
	}
	shape := shapeOf(events, a.reader.Snapshot())
	return c.JSON(Properties{whole(shape.Properties()), shape.Events(), shape.IsCut()})
}

// lastEvents reads how many of the latest events to look at.
func lastEvents(c *fiber.Ctx) (int, error) {
	text := c.Query("last")
	if text == "" {
		return query.MaxRecent, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > query.MaxRecent {
		return 0, &query.FilterError{Field: "last", Message: "must be a number from 1 to " + strconv.Itoa(query.MaxRecent)}
	}
	return count, nil
}

// eventName is what a trigger is bound to.
type eventName struct{ environment, sourceID, event string }

func (a *API) recent(ctx context.Context, of eventName, last int) ([]query.RecentEvent, error) {
	filter := query.RecentFilter{Source: of.sourceID, Environment: of.environment, Event: of.event, Limit: last}
	if of.event == schemas.AnyEvent {
		filter.Event = ""
	}
	return a.log.Recent(ctx, filter)
}

func shapeOf(events []query.RecentEvent, snapshot *catalog.Snapshot) *rules.Shape {
	shape, event := new(rules.Shape), rules.NewEvent(schemas.EventMeta{}, nil, "")
	for _, recent := range events {
		event.Reset(recent.EventMeta, recent.Body, sourceName(snapshot, recent.SourceID))
		shape.Add(event)
	}
	return shape
}

// sourceName is what conditions see as source: the name, or the ID of one that was deleted.
func sourceName(snapshot *catalog.Snapshot, id string) string {
	if source, found := snapshot.Source(id); found {
		return source.Name
	}
	return id
}
