package api

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// triggerFilter says which triggers are asked for. An empty member does not restrict.
type triggerFilter struct {
	environment, sourceID, event, workflow string
	status                                 schemas.TriggerStatus
	text                                   string // lower case
	after                                  place
}

// place is where a trigger, or a replay, stands in the list, which is ordered by age. It stays there whatever is made or
// deleted.
type place struct {
	createdAt time.Time
	id        string
}

// compare returns a number below 0 where the other is younger, above 0 where it is older.
func (p place) compare(createdAt time.Time, id string) int {
	return cmp.Or(p.createdAt.Compare(createdAt), strings.Compare(p.id, id))
}

// cursor writes the place for the client, which hands it back.
func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.createdAt.UnixMilli(), 10) + "/" + p.id))
}

func parsePlace(cursor string) (place, error) {
	if cursor == "" {
		return place{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	millis, id, _ := strings.Cut(string(text), "/")
	at, numberErr := strconv.ParseInt(millis, 10, 64)
	if err != nil || numberErr != nil || id == "" {
		return place{}, &query.FilterError{Field: "cursor", Message: "is not the next_cursor of a page of this list; leave it out to begin at the first"}
	}
	return place{time.UnixMilli(at).UTC(), id}, nil
}

// listTriggers filters by environment, source (ID or name), event, workflow, status and text.
func (a *API) listTriggers(c *fiber.Ctx) error {
	filter, err := a.triggerFilter(c)
	if err != nil {
		return err
	}
	size, err := limit(c)
	if err != nil {
		return err
	}
	size = cmp.Or(size, query.DefaultLimit)
	shown := []schemas.Trigger{}
	for _, trigger := range a.reader.Snapshot().Triggers() {
		if !filter.matches(trigger) {
			continue
		}
		if len(shown) == size {
			last := shown[size-1]
			return c.JSON(page(shown, place{last.CreatedAt, last.ID}.cursor()))
		}
		shown = append(shown, trigger)
	}
	return c.JSON(whole(shown))
}

func (a *API) triggerFilter(c *fiber.Ctx) (triggerFilter, error) {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return triggerFilter{}, err
	}
	after, err := parsePlace(c.Query("cursor"))
	if err != nil {
		return triggerFilter{}, err
	}
	status := schemas.TriggerStatus(c.Query("status"))
	if status != "" && status != schemas.TriggerActive && status != schemas.TriggerInactive {
		return triggerFilter{}, &query.FilterError{Field: "status", Message: fmt.Sprintf("must be %s or %s", schemas.TriggerActive, schemas.TriggerInactive)}
	}
	return triggerFilter{
		environment: c.Query("environment"), sourceID: sourceID, event: c.Query("event"), workflow: c.Query("workflow"),
		status: status, text: strings.ToLower(c.Query("text")), after: after,
	}, nil
}

func (f triggerFilter) matches(t schemas.Trigger) bool {
	return matches(f.environment, t.Environment) && matches(f.sourceID, t.SourceID) && matches(f.event, t.Event) &&
		matches(f.workflow, t.Workflow) && matches(f.status, t.Status) && f.after.compare(t.CreatedAt, t.ID) < 0 && f.mentioned(t)
}

func matches[T ~string](wanted, value T) bool { return wanted == "" || wanted == value }

// mentioned reports whether the text stands in something that people know the trigger by.
func (f triggerFilter) mentioned(t schemas.Trigger) bool {
	if f.text == "" {
		return true
	}
	for _, value := range []string{t.Name, t.Description, t.Event, t.Workflow, t.Condition, t.ID} {
		if strings.Contains(strings.ToLower(value), f.text) {
			return true
		}
	}
	return false
}

// sourceID returns the ID of the source that the query names by ID or name, or "".
func (a *API) sourceID(c *fiber.Ctx) (string, error) { return a.sourceIDOf(c.Query("source")) }

func (a *API) sourceIDOf(idOrName string) (string, error) {
	if idOrName == "" {
		return "", nil
	}
	found, err := a.findSource(idOrName)
	return found.ID, err
}
