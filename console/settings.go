package console

import "github.com/gofiber/fiber/v2"

// routeSettings lists the pages of this part.
func (w *Console) routeSettings(app fiber.Router) {}
