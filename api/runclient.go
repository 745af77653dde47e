package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/millrace/millrace/eventlog/query"
)

// The calls about single runs and about those that were given up.

// ResendRequest says which runs to send again: by their IDs, or as the list of dead letters does.
type ResendRequest = resendRequest

// Resent says what was done about them.
type Resent = resendAnswer

// MaxResend is how many runs one request sends again at most.
const MaxResend = maxResend

// Run reads one run with its delivery attempts.
func (c *Client) Run(ctx context.Context, id string) (query.RunDetail, error) {
	return get[query.RunDetail](ctx, c, Path("runs", id), nil)
}

// DeadLetters reads a page of the runs that were given up.
func (c *Client) DeadLetters(ctx context.Context, filter url.Values) (Page[query.DeadLetterItem], error) {
	return get[Page[query.DeadLetterItem]](ctx, c, "/dead-letters", filter)
}

// DeadLetter reads a run that was given up.
func (c *Client) DeadLetter(ctx context.Context, runID string) (query.DeadLetterDetail, error) {
	return get[query.DeadLetterDetail](ctx, c, Path("dead-letters", runID), nil)
}

// ResendDeadLetters sends runs again. Of many it sends MaxResend, and the answer's cursor goes on.
func (c *Client) ResendDeadLetters(ctx context.Context, request ResendRequest) (answer Resent, err error) {
	err = c.Do(ctx, Call{Method: http.MethodPost, Path: "/dead-letters/resend", Body: request}, &answer)
	return answer, err
}
