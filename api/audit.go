package api

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Reading the audit log: who changed what in the catalog, and when.

func (a *API) listAudit(c *fiber.Ctx) error {
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
	found, err := a.log.Audit(c.UserContext(), query.AuditFilter{
		Kind: c.Query("kind"), Resource: c.Query("resource"), Actor: c.Query("actor"), Action: schemas.Action(c.Query("action")),
		Since: since, Until: until, Limit: limit, Cursor: c.Query("cursor"),
	})
	if err != nil {
		return err
	}
	return c.JSON(page(found.Items, found.NextCursor))
}

// queryTime reads a time of the query string: a timestamp, or how long ago as a duration such as 24h, also with a minus.
// The zero time stands for none.
func queryTime(c *fiber.Ctx, name string) (time.Time, error) { return parseTime(name, c.Query(name)) }

func parseTime(name, text string) (time.Time, error) { return parseTimeAt(name, text, time.Now()) }

func parseTimeAt(name, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := schemas.ParseTimestamp(text)
	if err != nil {
		return time.Time{}, &query.FilterError{Field: name, Message: "give a time such as 2026-11-20T08:30:00Z, or how long ago, such as 24h"}
	}
	return at, nil
}
