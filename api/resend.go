package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Sending runs again that were given up.

// Resend puts the runs of dead letters into the runs topic again, under their IDs and with the same bytes, and returns
// when Kafka has them. What it does is the dispatcher's, which the API does not know.
type Resend func(ctx context.Context, letters ...schemas.DeadLetter) error

// How many runs one request sends again: when nothing is asked for, which is also the most; and how many are in memory
// at once, since each may be as large as its event.
const (
	maxResend   = 1000
	resendChunk = 100
)

// resendRequest names the runs: by their IDs, or as the list of dead letters does.
type resendRequest struct {
	RunIDs      []string              `json:"run_ids,omitempty"`
	Environment string                `json:"environment,omitempty"`
	Source      string                `json:"source,omitempty"`
	Workflow    string                `json:"workflow,omitempty"`
	State       query.DeadLetterState `json:"state,omitempty"`
	StatusCode  *int                  `json:"status_code,omitempty"`
	Text        string                `json:"text,omitempty"`
	Since       string                `json:"since,omitempty"`
	Until       string                `json:"until,omitempty"`
	Limit       int                   `json:"limit,omitempty"`
	Cursor      string                `json:"cursor,omitempty"`
}

// resendAnswer says what was done. A run that is sent again is not delivered yet.
type resendAnswer struct {
	Resent     int      `json:"resent"`
	Delivered  []string `json:"delivered"` // have been since, and were not sent
	NotFound   []string `json:"not_found"`
	NextCursor *string  `json:"next_cursor"` // null when no dead letter is left that the request describes
}

// resendDeadLetters sends runs again.
func (a *API) resendDeadLetters(c *fiber.Ctx) error {
	var in resendRequest
	if err := decode(c, &in); err != nil {
		return err
	}
	if invalid := unprocessable(in.faults()); invalid != nil {
		return invalid
	}
	answer := resendAnswer{Delivered: []string{}, NotFound: []string{}}
	var err error
	if in.RunIDs != nil {
		err = a.resendAll(c.UserContext(), in.RunIDs, &answer)
	} else {
		err = a.resendFound(c, in, &answer)
	}
	if answer.Resent > 0 {
		a.logger.Info("runs were sent again", "actor", who(c), "runs", answer.Resent, "environment", in.Environment, "workflow", in.Workflow)
	}
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

// faults are what is wrong with the request itself. What is wrong with a filter the log says.
func (r resendRequest) faults() []problem {
	var found []problem
	if r.RunIDs == nil {
		if r.Environment == "" {
			found = append(found, misfit("environment", "say which runs: give run_ids, or at least an environment"))
		}
		if r.State == query.Resolved {
			found = append(found, misfit("state", "what was delivered is not sent again; give open or resent"))
		}
		if r.Limit < 0 || r.Limit > maxResend {
			found = append(found, misfit("limit", "give 1 to %d", maxResend))
		}
		return found
	}
	if len(r.RunIDs) == 0 || len(r.RunIDs) > maxResend {
		found = append(found, misfit("run_ids", "give 1 to %d of them", maxResend))
	}
	for i, id := range r.RunIDs {
		if _, err := uuid.Parse(id); err != nil {
			found = append(found, misfit(fmt.Sprintf("run_ids[%d]", i), "not a UUID"))
		}
	}
	rest := r
	rest.RunIDs = nil
	if !rest.isEmpty() {
		found = append(found, misfit("run_ids", "give either these or what describes the dead letters"))
	}
	return found
}

// isEmpty reports that nothing describes the dead letters.
func (r resendRequest) isEmpty() bool {
	return r.Environment+r.Source+r.Workflow+string(r.State)+r.Text+r.Since+r.Until+r.Cursor == "" && r.StatusCode == nil && r.Limit == 0
}

// resendAll sends the runs of the IDs, each once.
func (a *API) resendAll(ctx context.Context, runIDs []string, answer *resendAnswer) error {
	ids := make([]string, len(runIDs))
	for i, id := range runIDs {
		ids[i] = uuid.MustParse(id).String() // checked before
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), resendChunk) {
		if err := a.resendChunk(ctx, chunk, answer); err != nil {
			return err
		}
	}
	return nil
}

// resendFound sends the runs that the request describes, the newest first.
func (a *API) resendFound(c *fiber.Ctx, in resendRequest, answer *resendAnswer) error {
	filter, err := a.deadLetterFilter(in)
	if err != nil {
		return err
	}
	for left := cmp.Or(in.Limit, maxResend); left > 0; {
		filter.Limit = min(left, resendChunk)
		found, err := a.log.DeadLetters(c.UserContext(), filter)
		if err != nil {
			return err
		}
		ids := make([]string, len(found.Items))
		for i, item := range found.Items {
			ids[i] = item.RunID
		}
		if err := a.resendChunk(c.UserContext(), ids, answer); err != nil {
			return err
		}
		filter.Cursor, answer.NextCursor = found.NextCursor, nil
		if found.NextCursor == "" {
			return nil
		}
		answer.NextCursor = &found.NextCursor
		left -= len(found.Items)
	}
	return nil
}

func (a *API) deadLetterFilter(in resendRequest) (query.DeadLetterFilter, error) {
	since, err := parseTime("since", in.Since)
	if err != nil {
		return query.DeadLetterFilter{}, err
	}
	until, err := parseTime("until", in.Until)
	if err != nil {
		return query.DeadLetterFilter{}, err
	}
	sourceID, err := a.sourceIDOf(in.Source)
	if err != nil {
		return query.DeadLetterFilter{}, err
	}
	return query.DeadLetterFilter{
		Environment: in.Environment, Source: sourceID, Workflow: in.Workflow, State: cmp.Or(in.State, query.Open), StatusCode: in.StatusCode, Text: in.Text,
		Since: since, Until: until, Cursor: in.Cursor,
	}, nil
}

// resendChunk sends those of the runs that can be.
func (a *API) resendChunk(ctx context.Context, ids []string, answer *resendAnswer) error {
	if len(ids) == 0 {
		return nil
	}
	found, err := a.log.DeadRuns(ctx, ids)
	if err != nil {
		return err
	}
	states := map[string]query.DeadLetterState{}
	var letters []schemas.DeadLetter
	for _, run := range found {
		states[run.Letter.Run.RunID] = run.State
		if run.State != query.Resolved {
			letters = append(letters, run.Letter)
		}
	}
	for _, id := range ids {
		switch states[id] {
		case "":
			answer.NotFound = append(answer.NotFound, id)
		case query.Resolved:
			answer.Delivered = append(answer.Delivered, id)
		case query.Open, query.Resent:
		}
	}
	if len(letters) == 0 {
		return nil
	}
	if err := a.resend(ctx, letters...); err != nil {
		return err
	}
	answer.Resent += len(letters)
	return nil
}
