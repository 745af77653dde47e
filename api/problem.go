package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
)

// problem is an error answer.
type problem struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Line    int    `json:"line,omitempty"`   // of an expression, from 1
	Column  int    `json:"column,omitempty"` // of an expression, from 1
}

func (p *problem) Error() string { return p.Message }

// answerError is where every failed request ends.
func (a *API) answerError(c *fiber.Ctx, err error) error {
	p := explain(err)
	if p.status >= fiber.StatusInternalServerError {
		a.logger.Error("answering a management request", "method", c.Method(), "path", c.Path(), "status", p.status, "error", err)
	}
	return c.Status(p.status).JSON(fiber.Map{"error": p})
}

// explain finds the answer for an error.
func explain(err error) *problem {
	var (
		already  *problem
		invalid  *catalog.InvalidError
		compile  *rules.CompileError
		refused  *query.FilterError
		fromHTTP *fiber.Error
	)
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &compile):
		return &problem{fiber.StatusUnprocessableEntity, "invalid_expression", oneLine(err), compile.Field, compile.Line, compile.Column}
	case errors.As(err, &invalid):
		return &problem{status: fiber.StatusUnprocessableEntity, Code: "invalid", Message: oneLine(err), Field: invalid.Field}
	case errors.As(err, &refused):
		return &problem{status: fiber.StatusBadRequest, Code: "invalid_filter", Message: refused.Error(), Field: refused.Field}
	case errors.Is(err, catalog.ErrNotFound), errors.Is(err, query.ErrNotFound):
		return &problem{status: fiber.StatusNotFound, Code: "not_found", Message: err.Error()}
	case errors.As(err, &fromHTTP) && fromHTTP.Code < fiber.StatusInternalServerError:
		return &problem{status: fromHTTP.Code, Code: httpCode(fromHTTP.Code), Message: fromHTTP.Message}
	}
	return &problem{status: fiber.StatusServiceUnavailable, Code: "unavailable", Message: "the catalog or the event log did not answer; try again"}
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

// decode reads a request body strictly: a member nobody knows is more likely a typo than a wish.
func decode(c *fiber.Ctx, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(c.Body()))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return &problem{status: fiber.StatusBadRequest, Code: "invalid_json", Message: "the body holds more than one JSON value"}
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &problem{status: fiber.StatusBadRequest, Code: "invalid_json", Message: fmt.Sprintf("the body is not valid JSON: %v", err)}
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return &problem{
			status: fiber.StatusUnprocessableEntity, Code: "invalid", Field: wrongType.Field,
			Message: fmt.Sprintf("%s must not be a %s", wrongType.Field, wrongType.Value),
		}
	}
	return &problem{status: fiber.StatusUnprocessableEntity, Code: "invalid", Message: strings.TrimPrefix(err.Error(), "json: ")}
}
