package api

import "github.com/gofiber/fiber/v2"

// Me is who asks, as the API knows them by the token.
type Me struct {
	Name  string `json:"name"`  // of the token, as the audit log has it
	Scope string `json:"scope"` // read, write or admin
}

// getMe tells those who ask with a token what it lets them do.
func getMe(c *fiber.Ctx) error {
	known, _ := c.Locals(identityKey{}).(token)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(Me{known.name, known.scope.String()})
}
