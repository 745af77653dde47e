package ingest

import (
	"context"
	"errors"
	"mime"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// receive answers one request: 204 once the event is in Kafka, or a refusal.
func (i *Ingest) receive(ctx context.Context, c *fiber.Ctx) error {
	if i.config.Tracer == nil {
		return i.take(ctx, c, nil)
	}
	return i.traced(ctx, c)
}

func (i *Ingest) take(ctx context.Context, c *fiber.Ctx, span *telemetry.Span) error {
	began := time.Now()
	receivedAt := i.now().UTC().Truncate(time.Millisecond)
	endpoint, body, err := i.admit(c, receivedAt)
	if err != nil {
		return i.refuse(c, endpoint, receivedAt, err)
	}
	track, err := schemas.ParseTrack(body)
	if err != nil {
		return i.refuse(c, endpoint, receivedAt, err)
	}
	id, err := schemas.NewEventID(receivedAt)
	if err != nil {
		return i.refuse(c, endpoint, receivedAt, unavailable("the process cannot make an ID; try again"))
	}
	meta := schemas.EventMeta{
		EventID: id.String(), SourceID: endpoint.SourceID, Environment: endpoint.Environment,
		Event: track.Event, MessageID: track.MessageID, ReceivedAt: receivedAt,
	}
	body = i.bodies.own(c.Request(), body) // Kafka's client may still hold the record when the next request is read
	if err := i.produce(ctx, meta, body, span); err != nil {
		return i.refuse(c, endpoint, receivedAt, err)
	}
	i.metrics.stored(len(body), time.Since(began))
	return c.SendStatus(fiber.StatusNoContent)
}

// admit checks everything about a request but its event. The body it returns is valid until the request is answered.
func (i *Ingest) admit(c *fiber.Ctx, now time.Time) (catalog.Endpoint, []byte, error) {
	if c.Method() != fiber.MethodPost {
		c.Set(fiber.HeaderAllow, fiber.MethodPost)
		return catalog.Endpoint{}, nil, refuse(fiber.StatusMethodNotAllowed, methodNotAllowed, "post events with POST")
	}
	snapshot := i.catalog.Snapshot()
	endpoint, known := snapshot.Endpoint(c.Params("key"))
	if !known && len(snapshot.Foreign()) > 0 {
		return endpoint, nil, unavailable("this process does not know every endpoint, because a newer version has made some; send the event again")
	}
	if !known {
		return catalog.Endpoint{}, nil, refuse(fiber.StatusNotFound, unknownEndpoint, "no endpoint has this key; copy the URL from the source's settings")
	}
	if !endpoint.IsGood(now) {
		return endpoint, nil, refuse(fiber.StatusNotFound, unknownEndpoint, "the endpoint's key was rotated and this one is not good any more; copy the URL from the source's settings")
	}
	if endpoint.Disabled {
		return endpoint, nil, refuse(fiber.StatusNotFound, unknownEndpoint, "this endpoint, or its source, is disabled")
	}
	if err := checkMediaType(c); err != nil {
		return endpoint, nil, err
	}
	body := c.Request().Body() // as it came: fiber's own Body would unpack it
	if limit := i.limit(endpoint); len(body) > limit {
		return endpoint, nil, tooLarge(limit)
	}
	if endpoint.Signature == nil {
		return endpoint, body, nil
	}
	return endpoint, body, i.checkSignature(c, *endpoint.Signature, body, now)
}

// limit returns how large an event may be: the endpoint can take less than the setting, not more.
func (i *Ingest) limit(endpoint catalog.Endpoint) int {
	if endpoint.MaxBytes > 0 {
		return min(endpoint.MaxBytes, i.config.MaxEventBytes)
	}
	return i.config.MaxEventBytes
}

// checkMediaType accepts JSON that is not compressed.
func checkMediaType(c *fiber.Ctx) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && encoding != "identity" {
		return refuse(fiber.StatusUnsupportedMediaType, unsupportedMediaType, "compressed bodies are not supported; send the event as it is")
	}
	contentType := c.Get(fiber.HeaderContentType)
	if contentType == fiber.MIMEApplicationJSON {
		return nil
	}
	// A parameter that cannot be read does no harm: JSON is UTF-8 whatever it says.
	if mediaType, _, err := mime.ParseMediaType(contentType); mediaType == fiber.MIMEApplicationJSON && (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) {
		return nil
	}
	return refuse(fiber.StatusUnsupportedMediaType, unsupportedMediaType, "send the event as Content-Type: application/json")
}
