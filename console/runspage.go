package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// runPage is everything that is known about a run, its dead letter included.
type runPage struct {
	runView
	Source      string                  // name
	Trigger     string                  // name
	Letter      *query.DeadLetterDetail // nil where it was never given up
	OnlyLetter  bool                    // the log has no more of the run than its dead letter
	IsSent      bool                    // it was sent again, and the event log knows of no attempt yet
	Form        form                    // that sends it again
	lastTouched time.Time
}

func (w *Console) showRun(c *fiber.Ctx) error {
	shown, err := readRun(c)
	if err != nil {
		return err
	}
	return w.showRunAs(c, fiber.StatusOK, shown)
}

func (w *Console) showRunAs(c *fiber.Ctx, status int, shown runPage) error {
	return w.show(c, status, page{Name: "run", Title: "Run of " + shown.Workflow, Section: "/runs", Notice: notice(c), Content: shown})
}

// readRun reads what the page of a run shows. A replay runs old events, whose runs leave the log before their dead letters
// do: then the letter tells what there was.
func readRun(c *fiber.Ctx) (runPage, error) {
	var run query.RunDetail
	var letter query.DeadLetterDetail
	var runErr, letterErr error
	var sources []api.Source
	client, id := visitorOf(c).client, unescaped(c, "id")
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() error {
		run, runErr = client.Run(ctx, id)
		return unlessMissing(runErr)
	})
	group.Go(func() error {
		letter, letterErr = client.DeadLetter(ctx, id)
		return unlessMissing(letterErr)
	})
	group.Go(func() (err error) {
		sources, err = listOf[api.Source](ctx, client, "/sources", nil)
		return err
	})
	if err := group.Wait(); err != nil {
		return runPage{}, err
	}
	shown := runPage{OnlyLetter: runErr != nil}
	if letterErr == nil {
		shown.Letter = &letter
		shown.IsSent = letter.State == query.Open && c.Query("died") == shown.Died()
	}
	if runErr != nil {
		if letterErr != nil {
			return runPage{}, runErr
		}
		run = runOf(letter)
	}
	shown.fill(run)
	shown.Trigger = nameOr(triggerNames(c.UserContext(), client, []string{run.TriggerID}), run.TriggerID)
	shown.Source = choices{Sources: sourceOptions(sources)}.SourceName(run.SourceID)
	return shown, nil
}

func unlessMissing(err error) error {
	if refusedWith(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// runOf is the run as its dead letter kept it.
func runOf(letter query.DeadLetterDetail) query.RunDetail {
	run := query.RunDetail{Attempts: letter.Attempts, RunItem: query.RunItem{
		ID: letter.RunID, Workflow: letter.Workflow, TriggerID: letter.TriggerID, EventID: letter.EventID, Environment: letter.Environment,
		SourceID: letter.SourceID, Status: query.Dead, ReceivedAt: letter.ReceivedAt, CreatedAt: letter.CreatedAt,
	}}
	var request schemas.RunRequest
	if json.Unmarshal(letter.Request, &request) == nil {
		run.Recipients, run.Actor, run.Tenant = request.Recipients, request.Actor, request.Tenant
		run.CancellationKey, run.Data = request.CancellationKey, request.Data
	}
	if letter.State == query.Resolved {
		run.Status = query.Delivered
	}
	return run
}

// fill chooses what of the run the page has.
func (p *runPage) fill(run query.RunDetail) {
	p.RunItem, p.lastTouched = run.RunItem, run.CreatedAt
	p.More = max(0, len(run.Attempts)-shownAttempts)
	p.Attempts = run.Attempts[p.More:]
	if n := len(run.Attempts); n > 0 {
		p.lastTouched = run.Attempts[n-1].AttemptedAt
	}
}

// Waiting tells whether something is still to come.
func (p runPage) Waiting() bool {
	return p.Status == query.Pending || p.Status == query.Retrying || p.Letter != nil && p.Letter.State == query.Resent
}

// Refreshes tells whether the page should look again for what is still to come.
func (p runPage) Refreshes() bool {
	return p.IsSent || p.Waiting() && time.Since(p.lastTouched) < recentlyReceived
}

// MayResend tells whether the run can be sent again.
func (p runPage) MayResend() bool {
	return p.Letter != nil && p.Letter.State != query.Resolved && !p.IsSent
}

// Died is when the run was given up last. It goes along when the run is sent again: while the event log has no later
// attempt, the page knows from it that one is to come.
func (p runPage) Died() string { return strconv.FormatInt(p.Letter.LastAttemptedAt.UnixMilli(), 10) }

// resendRun sends a run again that was given up.
func (w *Console) resendRun(c *fiber.Ctx) error {
	id := unescaped(c, "id")
	answer, err := visitorOf(c).client.ResendDeadLetters(c.UserContext(), api.ResendRequest{RunIDs: []string{id}})
	if err == nil {
		if answer.Resent == 0 {
			return done(c, "/runs/"+url.PathEscape(id), "not-resent")
		}
		said := url.Values{"done": {"resent"}, "died": {readForm(c).Value("died")}}
		return c.Redirect(addressOf("/runs/"+url.PathEscape(id), said), fiber.StatusSeeOther)
	}
	var posted form
	status, isShown := posted.refuse(err)
	if !isShown {
		return err
	}
	shown, err := readRun(c)
	if err != nil {
		return err
	}
	shown.Form = posted
	return w.showRunAs(c, status, shown)
}
