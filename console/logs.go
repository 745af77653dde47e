package console

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// logsPage is a search in the event log.
type logsPage struct {
	list[query.EventItem]
	Live string // address of the live view of the search
}

// eventRow is a row of the table of events.
type eventRow struct {
	query.EventItem
	Source string // name
}

// Rows are the events as the template "eventrow" takes them.
func (p logsPage) Rows() []eventRow {
	rows := make([]eventRow, len(p.Items.Value))
	for i, event := range p.Items.Value {
		rows[i] = eventRow{event, p.Choices.SourceName(event.SourceID)}
	}
	return rows
}

// eventFilters are the parameters of the API that a search can have.
func eventFilters() []string {
	return []string{"source", "environment", "event", "status", "user_id", "message_id", "q", "where", "since", "until"}
}

func (w *Console) listEvents(c *fiber.Ctx) error {
	found, err := find(c, listing[query.EventItem]{"/logs", eventFilters(), url.Values{"since": {"24h"}}, (*api.Client).Events})
	if err != nil {
		return err
	}
	shown := logsPage{found, "/logs/live?" + filterOf(c, eventFilters()).Encode()}
	return w.show(c, found.Status, page{Name: "logs", Title: "Logs", Section: "/logs", Tab: "/logs", Loading: found.Items.Loading, Content: shown})
}
