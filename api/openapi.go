package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// describeAPI serves the OpenAPI document. It says nothing about this installation, so that it needs no token.
func describeAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(schemas.OpenAPI())
}
