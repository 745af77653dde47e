package console

import "github.com/gofiber/fiber/v2"

// routeTriggers lists the pages of this part.
func (w *Console) routeTriggers(app fiber.Router) {}
