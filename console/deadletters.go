package console

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// deadLettersPage is a search among the runs that were given up.
type deadLettersPage struct {
	list[query.DeadLetterItem]
	Here string // address of the page, which the form that sends chosen ones again posts to
	All  string // address of the page that asks whether to send all again
	Form form   // that form
}

// States are what can have become of a dead letter.
func (deadLettersPage) States() []option {
	return optionsNamed(query.Open, query.Resent, query.Resolved)
}

// Who are the recipients of a run, as a row has room for them.
func (deadLettersPage) Who(letter query.DeadLetterItem) recipients {
	return recipientsOf(letter.Recipients)
}

// AnyToSend tells whether there is something in the list that can be sent again.
func (p deadLettersPage) AnyToSend() bool {
	for _, letter := range p.Items.Value {
		if letter.State != query.Resolved {
			return true
		}
	}
	return false
}

// Reason says in short why a run was given up.
func (deadLettersPage) Reason(letter query.DeadLetterItem) string {
	return cut(letter.Error, shownReason)
}

// shownReason is how many bytes of a reason fit a row; the page of the run has all of it.
const shownReason = 140

// deadLetterFilters are the parameters of the API that a search can have.
func deadLetterFilters() []string {
	return []string{"environment", "source", "workflow", "state", "status_code", "text", "since", "until"}
}

func (w *Console) listDeadLetters(c *fiber.Ctx) error {
	return w.showDeadLetters(c, fiber.StatusOK, form{})
}

// showDeadLetters shows the page that the address asks for, with what is wrong with the form that was posted there.
func (w *Console) showDeadLetters(c *fiber.Ctx, status int, posted form) error {
	found, err := find(c, listing[query.DeadLetterItem]{"/dead-letters", deadLetterFilters(), nil, (*api.Client).DeadLetters})
	if err != nil {
		return err
	}
	filter := filterOf(c, deadLetterFilters())
	shown := deadLettersPage{list: found, Form: posted, All: addressOf("/dead-letters/resend", filter)}
	if cursor := c.Query("cursor"); cursor != "" {
		filter = with(filter, "cursor", cursor)
	}
	shown.Here = addressOf("/dead-letters", filter)
	return w.show(c, max(status, found.Status), page{
		Name: "deadletters", Title: "Dead letters", Section: "/runs", Tab: "/dead-letters", Notice: resendTotals(c.Query).String(),
		Loading: found.Items.Loading, Content: shown,
	})
}

// addressOf is a path with parameters, where there are any.
func addressOf(path string, parameters url.Values) string {
	if len(parameters) == 0 {
		return path
	}
	return path + "?" + parameters.Encode()
}

// resent counts what became of runs that were to be sent again. It travels in addresses, from the answer of the API to the
// page that says it.
type resent struct{ Sent, Delivered, Missing int }

// resendTotals reads the counts of a request.
func resendTotals(value func(name string, other ...string) string) resent {
	count := func(name string) int {
		n, err := strconv.Atoi(value(name))
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	return resent{count("sent"), count("delivered"), count("missing")}
}

// and adds an answer of the API.
func (r resent) and(answer api.Resent) resent {
	return resent{r.Sent + answer.Resent, r.Delivered + len(answer.Delivered), r.Missing + len(answer.NotFound)}
}

// in puts the counts into the parameters of an address, those that say nothing as well: an answer of nothing is one.
func (r resent) in(parameters url.Values) url.Values {
	parameters = with(parameters, "sent", strconv.Itoa(r.Sent))
	parameters.Set("delivered", strconv.Itoa(r.Delivered))
	parameters.Set("missing", strconv.Itoa(r.Missing))
	return parameters
}

// String says it, or nothing where there is nothing to say.
func (r resent) String() string {
	var told []string
	if r.Sent > 0 {
		told = append(told, fmt.Sprintf("%s sent again; what becomes of them shows here within seconds.", runsSaid(r.Sent, "was", "were")))
	}
	if r.Delivered > 0 {
		told = append(told, fmt.Sprintf("%s been delivered meanwhile and %s not sent.", runsSaid(r.Delivered, "has", "have"), oneOrMore(r.Delivered, "was", "were")))
	}
	if r.Missing > 0 {
		told = append(told, fmt.Sprintf("%s no dead letter any more.", runsSaid(r.Missing, "has", "have")))
	}
	return strings.Join(told, " ")
}

// runsSaid counts runs, with the verb that follows.
func runsSaid(n int, one, more string) string {
	return number(n) + oneOrMore(n, " run ", " runs ") + oneOrMore(n, one, more)
}

func oneOrMore(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
