package api

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
)

// problem is an error answer. Where several things are wrong, it is the first of Problems.
type problem struct {
	status   int
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Field    string    `json:"field,omitempty"`
	Line     int       `json:"line,omitempty"`   // of an expression, from 1
	Column   int       `json:"column,omitempty"` // of an expression, from 1
	Problems []problem `json:"problems,omitempty"`
}

func (p *problem) Error() string { return p.Message }

// answerError is where every failed request ends.
func (a *API) answerError(c *fiber.Ctx, err error) error {
	p := explain(err)
	switch p.status {
	case fiber.StatusNotFound:
		if strings.HasPrefix(p.Message, "Cannot ") { // fiber's own words
			p.Message = fmt.Sprintf("%s %.100s is no call of this API; /api/v1/openapi.json lists them", c.Method(), c.Path())
		}
	case fiber.StatusMethodNotAllowed:
		p.Message = fmt.Sprintf("%.100s does not take %s, only %s", c.Path(), c.Method(), c.GetRespHeader(fiber.HeaderAllow))
	}
	if p.status >= fiber.StatusInternalServerError {
		a.logger.Error("answering a management request", "method", c.Method(), "path", c.Path(), "status", p.status, "error", err)
	}
	return c.Status(p.status).JSON(fiber.Map{"error": p})
}

// explain finds the answer for an error.
func explain(err error) *problem {
	var (
		already  *problem
		refused  *query.FilterError
		stale    *catalog.StaleError
		inUse    *catalog.InUseError
		fromHTTP *fiber.Error
		tooMuch  *query.LimitError
		badSQL   *query.SQLError
	)
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &stale):
		return &problem{status: fiber.StatusPreconditionFailed, Code: "stale", Message: stale.Error(), Field: fiber.HeaderIfMatch}
	case errors.As(err, &inUse):
		return &problem{status: fiber.StatusConflict, Code: "in_use", Message: inUse.Error()}
	case errors.As(err, &refused):
		return &problem{status: fiber.StatusBadRequest, Code: "invalid_filter", Message: refused.Error(), Field: refused.Field}
	case errors.As(err, &tooMuch):
		return &problem{status: fiber.StatusBadRequest, Code: "too_expensive", Message: tooMuch.Error()}
	case errors.As(err, &badSQL):
		return &problem{status: fiber.StatusUnprocessableEntity, Code: "invalid_sql", Message: badSQL.Error(), Field: "query"}
	}
	if invalid := unprocessable(faults(err)); invalid != nil {
		return invalid
	}
	switch {
	case errors.Is(err, catalog.ErrNotFound), errors.Is(err, query.ErrNotFound):
		return &problem{status: fiber.StatusNotFound, Code: "not_found", Message: err.Error()}
	case errors.As(err, &fromHTTP) && fromHTTP.Code < fiber.StatusInternalServerError:
		return &problem{status: fromHTTP.Code, Code: httpCode(fromHTTP.Code), Message: fromHTTP.Message}
	}
	return &problem{status: fiber.StatusServiceUnavailable, Code: "unavailable", Message: "the catalog or the event log did not answer; try again"}
}

// faults finds everything that is wrong with a request in an error that may join several.
func faults(err error) []problem {
	var found []problem
	switch err := err.(type) { //nolint:errorlint // this walks the tree that errors.As would search for one
	case *catalog.InvalidError:
		return []problem{{Code: "invalid", Message: oneLine(err), Field: err.Field}}
	case *rules.CompileError:
		return []problem{{Code: "invalid_expression", Message: oneLine(err), Field: err.Field, Line: err.Line, Column: err.Column}}
	case interface{ Unwrap() []error }:
		for _, one := range err.Unwrap() {
			found = append(found, faults(one)...)
		}
	case interface{ Unwrap() error }:
		return faults(err.Unwrap())
	}
	return found
}

// maxProblems bounds an answer: a body has room for a hundred thousand faults.
const maxProblems = 50

// unprocessable answers with the first fault on top and all of them below it, or nil where there is none.
func unprocessable(faults []problem) *problem {
	if len(faults) == 0 {
		return nil
	}
	first := faults[0]
	first.status, first.Problems = fiber.StatusUnprocessableEntity, faults[:min(len(faults), maxProblems)]
	return &first
}

func httpCode(status int) string {
	switch status {
	case fiber.StatusNotFound:
		return "not_found"
	case fiber.StatusMethodNotAllowed:
		return "method_not_allowed"
	case fiber.StatusRequestEntityTooLarge:
		return "too_large"
	}
	return "bad_request"
}

// oneLine joins several problems into one message.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
