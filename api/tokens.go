package api

import "github.com/gofiber/fiber/v2"

// Token is a token as the setting --api-tokens names it. Neither it nor where it is can be asked for.
type Token struct {
	Name  string `json:"name"`
	Scope string `json:"scope"` // read, write or admin
}

// listTokens lists them as they are set; they are few, and none where only this machine is served.
func (a *API) listTokens(c *fiber.Ctx) error {
	shown := make([]Token, len(a.tokens))
	for i, known := range a.tokens {
		shown[i] = Token{known.name, known.scope.String()}
	}
	return c.JSON(whole(shown))
}
