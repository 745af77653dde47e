package main

import (
	"context"
	"encoding/json"
	"net"

	"github.com/gofiber/fiber/v2"
)

// serveFiber answers 204, at once or to what is JSON: what HTTP costs, and what looking at a body does.
func serveFiber(ctx context.Context, listener net.Listener, checksJSON bool) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/", func(c *fiber.Ctx) error {
		if checksJSON && !json.Valid(c.Body()) {
			return c.SendStatus(fiber.StatusBadRequest)
		}
		return c.SendStatus(fiber.StatusNoContent)
	})
	context.AfterFunc(ctx, func() { _ = app.Shutdown() }) // the listener is all that it closes
	announce(listener, "/")
	return app.Listener(listener)
}
