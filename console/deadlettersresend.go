package console

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// Sending runs again that were given up: those that were chosen in the list, or all that a search finds. The latter asks
// first, and goes on by hand after each step of as many as the API sends at once.

// resendChosen sends those that were ticked.
func (w *Console) resendChosen(c *fiber.Ctx) error {
	posted := readForm(c)
	chosen := posted.Values["run_ids"]
	if len(chosen) == 0 {
		posted.Problem = "Nothing is chosen: tick the runs to send again, or send all that match."
		return w.showDeadLetters(c, fiber.StatusUnprocessableEntity, posted)
	}
	answer, err := visitorOf(c).client.ResendDeadLetters(c.UserContext(), api.ResendRequest{RunIDs: chosen})
	if err != nil {
		status, isShown := posted.refuse(err)
		if !isShown {
			return err
		}
		return w.showDeadLetters(c, status, posted)
	}
	filter := filterOf(c, append(deadLetterFilters(), "cursor"))
	return c.Redirect(addressOf("/dead-letters", resent{}.and(answer).in(filter)), fiber.StatusSeeOther)
}

// resendPage asks whether to send all again that a search finds.
type resendPage struct {
	Filter  form // the search, as it is sent
	Choices choices
	Found   part[matching]
	Done    resent // by the steps before
	Back    string // address of the list
	Form    form   // that sends them
}

// matching is how many dead letters a search finds, counted up to what the API sends at once.
type matching struct {
	Count  int
	IsMore bool // than these
}

// Limit is how many runs are sent at once.
func (resendPage) Limit() int { return api.MaxResend }

// Description is the search in words.
func (p resendPage) Description() []option {
	names := map[string]string{
		"source": "Source", "workflow": "Workflow", "status_code": "Status code of the last answer",
		"text": "In the error or the answer", "since": "Given up since",
	}
	var described []option
	for _, name := range deadLetterFilters() {
		value := p.Filter.Value(name)
		switch {
		case value == "" || names[name] == "":
			continue
		case name == "source":
			value = p.Choices.SourceName(value)
		case name == "status_code" && value == "0":
			value = "none, there was no answer"
		}
		described = append(described, option{value, names[name]})
	}
	return described
}

// Until is the time before which those that are sent were given up; zero where the search has none that can be read.
func (p resendPage) Until() time.Time {
	at, err := time.Parse(time.RFC3339, p.Filter.Value("until"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// State is the state of those that are sent.
func (p resendPage) State() query.DeadLetterState {
	return query.DeadLetterState(p.Filter.Value("state"))
}

func (w *Console) askToResend(c *fiber.Ctx) error {
	return w.showResend(c, fiber.StatusOK, filterOf(c, append(deadLetterFilters(), "cursor", "until_now")), resendTotals(c.Query), form{})
}

func (w *Console) showResend(c *fiber.Ctx, status int, filter url.Values, before resent, posted form) error {
	shown := resendPage{Filter: form{Values: fixedSearch(filter, time.Now())}, Done: before, Form: posted}
	shown.Back = addressOf("/dead-letters", searchOf(shown.Filter.Values))
	limited, cancel := inTime(c)
	defer cancel()
	client := visitorOf(c).client
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		shown.Choices, err = choicesFor(ctx, client)
		return err
	})
	if filter.Get("environment") != "" {
		group.Go(func() error {
			found, err := countLetters(limited, client, shown.Filter.Values)
			return shown.Found.ask(limited, found, err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if failed := shown.Found.Failed; failed != nil {
		status = failed.Status
	}
	return w.show(c, status, page{
		Name: "resend", Title: "Send runs again", Section: "/runs", Tab: "/dead-letters", Notice: before.String(), Loading: shown.Found.Loading, Content: shown,
	})
}

// fixedSearch is the search as it is sent: what comes to it after it was counted does not belong to it, and of the states it has
// the one that the API would take.
func fixedSearch(filter url.Values, now time.Time) url.Values {
	filter = with(filter, "state", filter.Get("state"))
	if filter.Get("state") == "" {
		filter.Set("state", string(query.Open))
	}
	until := filter.Get("until")
	ago, err := time.ParseDuration(until)
	switch {
	case until == "":
		filter.Set("until_now", "on")
	case err != nil:
		return filter
	}
	filter.Set("until", now.Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z"))
	return filter
}

// searchOf is the search that the list had.
func searchOf(filter url.Values) url.Values {
	search := url.Values{}
	for _, name := range deadLetterFilters() {
		if value := filter.Get(name); value != "" && (name != "until" || filter.Get("until_now") == "") {
			search.Set(name, value)
		}
	}
	return search
}

// countLetters asks for no more than is sent at once.
func countLetters(ctx context.Context, client *api.Client, filter url.Values) (matching, error) {
	var found matching
	asked := with(filter, "limit", strconv.Itoa(query.MaxLimit))
	asked.Del("until_now")
	for found.Count < api.MaxResend {
		page, err := client.DeadLetters(ctx, asked)
		if err != nil {
			return found, err
		}
		found.Count, found.IsMore = found.Count+len(page.Items), page.NextCursor != nil
		if page.NextCursor == nil {
			return found, nil
		}
		asked.Set("cursor", *page.NextCursor)
	}
	return found, nil
}

// resendFound sends what the page has asked about: a step of it.
func (w *Console) resendFound(c *fiber.Ctx) error {
	posted := readForm(c)
	before := resendTotals(c.FormValue)
	request, err := requestOf(posted)
	var answer api.Resent
	if err == nil {
		answer, err = visitorOf(c).client.ResendDeadLetters(c.UserContext(), request)
	}
	if err != nil {
		status, isShown := posted.refuse(err)
		if !isShown {
			return err
		}
		return w.showResend(c, status, stepOf(posted.Values), before, posted)
	}
	total := before.and(answer)
	if answer.NextCursor != nil {
		return c.Redirect(addressOf("/dead-letters/resend", total.in(with(stepOf(posted.Values), "cursor", *answer.NextCursor))), fiber.StatusSeeOther)
	}
	search := searchOf(posted.Values)
	search.Del("state") // they are in another one now
	return c.Redirect(addressOf("/dead-letters", total.in(search)), fiber.StatusSeeOther)
}

// stepOf is the search with where it goes on.
func stepOf(values url.Values) url.Values {
	search := searchOf(values)
	for _, name := range []string{"until", "until_now", "cursor"} {
		if value := values.Get(name); value != "" {
			search.Set(name, value)
		}
	}
	return search
}

func requestOf(posted form) (api.ResendRequest, error) {
	request := api.ResendRequest{
		Environment: posted.Value("environment"), Source: posted.Value("source"), Workflow: posted.Value("workflow"),
		State: query.DeadLetterState(posted.Value("state")), Text: posted.Value("text"),
		Since: posted.Value("since"), Until: posted.Value("until"), Cursor: posted.Value("cursor"),
	}
	if text := posted.Value("status_code"); text != "" {
		code, err := strconv.Atoi(text)
		if err != nil {
			return request, fiber.NewError(fiber.StatusUnprocessableEntity, "The status code "+strconv.Quote(text)+" is no number.")
		}
		request.StatusCode = &code
	}
	return request, nil
}
