package console

import "github.com/gofiber/fiber/v2"

// routeEditor lists the pages of this part.
func (w *Console) routeEditor(app fiber.Router) {}
