package console

import "github.com/gofiber/fiber/v2"

// routeReplays lists the pages of this part.
func (w *Console) routeReplays(app fiber.Router) {}
