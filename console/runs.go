package console

import "github.com/gofiber/fiber/v2"

// routeRuns lists the pages of this part.
func (w *Console) routeRuns(app fiber.Router) {}
