package ingest

import (
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// The codes of refusals that are not about the event itself; those are in schemas.
const (
	invalidSignature     schemas.ErrorCode = "invalid_signature"
	unknownEndpoint      schemas.ErrorCode = "unknown_endpoint"
	notFound             schemas.ErrorCode = "not_found"
	methodNotAllowed     schemas.ErrorCode = "method_not_allowed"
	unsupportedMediaType schemas.ErrorCode = "unsupported_media_type"
	eventTooLarge        schemas.ErrorCode = "event_too_large"
	badRequest           schemas.ErrorCode = "bad_request"
	unavailableCode      schemas.ErrorCode = "unavailable"
)

// retryAfter is how many seconds a client should wait after a 503.
const retryAfter = "1"

// refusal is an answer other than 204.
type refusal struct {
	status  int
	Code    schemas.ErrorCode `json:"code"`
	Message string            `json:"message"`
	Field   string            `json:"field,omitempty"`
}

func (r *refusal) Error() string { return r.Message }

func refuse(status int, code schemas.ErrorCode, message string) error {
	return &refusal{status: status, Code: code, Message: message}
}

func unavailable(message string) error {
	return refuse(fiber.StatusServiceUnavailable, unavailableCode, message)
}

func tooLarge(limit int) error {
	return refuse(fiber.StatusRequestEntityTooLarge, eventTooLarge,
		fmt.Sprintf("the event is larger than %d bytes; leave large values out and send where they are", limit))
}

// explain finds the refusal for an error of any part.
func explain(err error) *refusal {
	var already *refusal
	if errors.As(err, &already) {
		return already
	}
	var field *schemas.FieldError
	if errors.As(err, &field) {
		status := fiber.StatusUnprocessableEntity
		if field.Code == schemas.InvalidJSON {
			status = fiber.StatusBadRequest
		}
		return &refusal{status, field.Code, field.Message, field.Field}
	}
	return &refusal{status: fiber.StatusServiceUnavailable, Code: unavailableCode, Message: "the event was not stored; send it again"}
}

// refuse answers an error and logs the refusal, unless the fault is ours: then the client comes again.
func (i *Ingest) refuse(c *fiber.Ctx, endpoint catalog.Endpoint, at time.Time, err error) error {
	r := explain(err)
	if r.status != fiber.StatusServiceUnavailable {
		i.rejected.log(endpoint, r, c.Request().Body(), at)
	}
	return i.answer(c, r)
}

func (i *Ingest) answer(c *fiber.Ctx, r *refusal) error {
	i.metrics.answered(r.status)
	if r.status == fiber.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, retryAfter)
	}
	return c.Status(r.status).JSON(fiber.Map{"error": r})
}

// answerError answers what never reached receive: a request that cannot be read, or another path.
func (i *Ingest) answerError(c *fiber.Ctx, err error) error {
	defer i.bodies.release(c.Request())
	var failed *fiber.Error
	if !errors.As(err, &failed) {
		return i.answer(c, explain(err))
	}
	switch failed.Code {
	case fiber.StatusRequestEntityTooLarge:
		endpoint, _ := i.catalog.Snapshot().Endpoint(keyOf(c.Path()))
		return i.refuse(c, endpoint, i.now().UTC().Truncate(time.Millisecond), tooLarge(i.limit(endpoint)))
	case fiber.StatusNotFound:
		return i.answer(c, &refusal{status: failed.Code, Code: notFound, Message: "events are posted to " + receivePath + "{key}"})
	case fiber.StatusServiceUnavailable:
		return i.answer(c, explain(err))
	}
	return i.answer(c, &refusal{status: failed.Code, Code: badRequest, Message: failed.Message})
}

// keyOf returns the endpoint key in a path.
func keyOf(path string) string {
	if len(path) <= len(receivePath) {
		return ""
	}
	return path[len(receivePath):]
}
