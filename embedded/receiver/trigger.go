package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// maxListed is the most runs that one GET /runs returns, and defaultListed what it returns unasked.
const (
	maxListed     = maxKeptRuns
	defaultListed = 100
)

// maxKeyBytes is the longest idempotency key. The number is Knock's.
const maxKeyBytes = 255

// refusal is the body of an answer that is not 2xx.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *Receiver) trigger(c *fiber.Ctx) error {
	received, err := read(c)
	if err != nil {
		r.runs.reject()
		return fiber.NewError(fiber.StatusUnprocessableEntity, err.Error())
	}
	kept, isNew, err := r.runs.add(received)
	if err != nil {
		return fiber.NewError(fiber.StatusConflict, err.Error())
	}
	if isNew {
		r.present(kept)
	} else {
		c.Set("Idempotent-Replayed", "true")
	}
	return c.JSON(fiber.Map{"workflow_run_id": kept.WorkflowRunID})
}

// read makes a run of a request. The body is taken as it came: what is kept must be the bytes that were sent.
func read(c *fiber.Ctx) (Received, error) {
	workflow, err := url.PathUnescape(c.Params("key"))
	if err != nil {
		return Received{}, fmt.Errorf("the workflow key is not URL-escaped: %w", err)
	}
	body := bytes.Clone(c.Request().Body())
	var request schemas.RunRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return Received{}, fmt.Errorf("the body is not a run: %w", err)
	}
	if len(request.Recipients) == 0 {
		return Received{}, errors.New("recipients is missing; give at least one")
	}
	key := c.Get("Idempotency-Key")
	if len(key) > maxKeyBytes {
		return Received{}, fmt.Errorf("the idempotency key has %d bytes, at most %d are allowed", len(key), maxKeyBytes)
	}
	return Received{
		Key:           key,
		Workflow:      workflow,
		WorkflowRunID: workflowRunID(key),
		Body:          body,
		Requests:      1,
		ArrivedAt:     time.Now().UTC(),
	}, nil
}

// workflowRunID derives the ID from the idempotency key, so that a run sent again gets the same one even when the
// receiver was restarted in between. Without a key every call is a run of its own.
func workflowRunID(key string) string {
	if key == "" {
		return uuid.NewString()
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:millrace:run:"+key)).String()
}

func (r *Receiver) present(received Received) {
	if r.show == nil {
		return
	}
	r.showing.Lock()
	defer r.showing.Unlock()
	r.show(received)
}

func (r *Receiver) list(c *fiber.Ctx) error {
	limit := c.QueryInt("limit", defaultListed)
	if limit < 1 || limit > maxListed {
		return fiber.NewError(fiber.StatusUnprocessableEntity, fmt.Sprintf("limit must lie between 1 and %d", maxListed))
	}
	return c.JSON(fiber.Map{"items": r.runs.newest(limit)})
}

func (r *Receiver) count(c *fiber.Ctx) error { return c.JSON(r.runs.count()) }

// refuse answers with an error in the shape of refusal.
func (r *Receiver) refuse(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	var known *fiber.Error
	if errors.As(err, &known) {
		status = known.Code
	} else {
		r.logger.Error("a request failed", "path", c.Path(), "error", err)
	}
	return c.Status(status).JSON(refusal{Code: code(status), Message: err.Error()})
}

func code(status int) string {
	switch status {
	case fiber.StatusConflict:
		return "idempotency_key_reused"
	case fiber.StatusUnprocessableEntity:
		return "invalid_request"
	case fiber.StatusRequestEntityTooLarge:
		return "request_too_large"
	case fiber.StatusNotFound, fiber.StatusMethodNotAllowed:
		return "unknown_endpoint"
	}
	return "failed"
}
