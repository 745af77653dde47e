package console

import "github.com/gofiber/fiber/v2"

// routeAnalytics lists the pages of this part.
func (w *Console) routeAnalytics(app fiber.Router) {}
