package console

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog/query"
)

// topPage lists what events have most often.
type topPage struct {
	inquiry
	Top part[query.Top]
}

// topRow is a row of the list.
type topRow struct {
	Name, Link string
	Count      uint64
	Share      float64 // of all events, 0 to 1
	Width      int     // of its bar, in hundredths of the first row's
}

func inquireTop(c *fiber.Ctx) inquiry {
	return inquire(c, "/analytics/top", eventInputs("by", "limit"), url.Values{"by": {"event"}})
}

func (w *Console) showTop(c *fiber.Ctx) error {
	shown := topPage{inquiry: inquireTop(c)}
	client := visitorOf(c).client
	limited, cancel := inTime(c)
	defer cancel()
	filter := shown.asked(eventInputs("by", "limit")...) // it reads all of the inquiry, which is written to below
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		found, err := client.Top(limited, filter)
		return shown.Top.ask(limited, found, err)
	})
	group.Go(func() (err error) {
		shown.Choices, err = choicesFor(ctx, client)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	status := shown.blame(shown.Top.Failed)
	return w.showAnalytics(c, status, page{Name: "analyticstop", Title: "Top lists", Tab: "/analytics/top", Loading: shown.Top.Loading, Content: shown})
}

// Limits are how long the list can be.
func (topPage) Limits() []option {
	return []option{{"20", "20"}, {"50", "50"}, {"100", "100"}, {"500", "500"}}
}

// Heading says what the list has.
func (p topPage) Heading() string { return "Events" + byTitle(p.Filter.Value("by")) }

// Rows are the values as the page shows them.
func (p topPage) Rows() []topRow {
	found, by := p.Top.Value, p.Filter.Value("by")
	rows := make([]topRow, len(found.Items))
	for i, item := range found.Items {
		rows[i] = topRow{
			Name: p.valueName(by, item.Value), Link: p.logsOf(by, item.Value), Count: item.Count,
			Share: share(item.Count, found.Total), Width: int(100 * share(item.Count, found.Items[0].Count)),
		}
	}
	return rows
}

// Listed is how many of all events the list has.
func (p topPage) Listed() uint64 {
	sum := uint64(0)
	for _, item := range p.Top.Value.Items {
		sum += item.Count
	}
	return sum
}

// share is a part of a whole, 0 where there is nothing.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
