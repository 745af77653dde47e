package console

import "github.com/gofiber/fiber/v2"

// routeSettings lists the pages of the settings. The form of a new environment is not below /settings/environments: one
// may be named like it.
func (w *Console) routeSettings(app fiber.Router) {
	app.Get("/settings", w.listEnvironments)
	app.Get("/settings/new", w.newEnvironment)
	app.Post("/settings/environments", w.createEnvironment)
	app.Get("/settings/environments/:name", w.showEnvironment)
	app.Post("/settings/environments/:name", w.updateEnvironment)
	app.Post("/settings/environments/:name/delete", w.deleteEnvironment)
	app.Get("/settings/tokens", w.showTokens)
	app.Get("/settings/audit", w.listAudit)
}
