package console

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/recover"
)

// route lists every page. What stands below identify has somebody who asks; live views end with ctx.
func (w *Console) route(ctx context.Context, app *fiber.App) {
	app.Use(recover.New()) // a page that panics may not end the process: in `millrace dev` everything runs in it
	app.Use(secure(), refuseOtherSites)
	app.Use(compress.New(compress.Config{Next: isLive}))
	app.Use(func(c *fiber.Ctx) error {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		c.SetUserContext(limited)
		return c.Next()
	})
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/static/:version/:name", w.serveAsset)
	app.Get("/login", w.showLogin)
	app.Post("/login", w.logIn)
	app.Post("/logout", w.logOut)

	app.Use(w.identify)
	app.Get("/", w.overview)
	app.Get("/sources", w.listSources)
	app.Get("/sources/new", w.newSource)
	app.Post("/sources", w.createSource)
	app.Get("/sources/:id", w.showSource)
	app.Post("/sources/:id", w.updateSource)
	app.Post("/sources/:id/delete", w.deleteSource)
	app.Post("/sources/:id/endpoints/:environment", w.updateEndpoint)
	app.Post("/sources/:id/endpoints/:environment/rotate", w.rotateKey)
	app.Get("/logs", w.listEvents)
	app.Get("/logs/names", w.listNames)
	app.Get("/logs/live", w.tail(ctx))
	app.Get("/refused", w.listRefused)
	app.Get("/events/:id", w.showEvent)
	app.Get("/events/:id/body", w.downloadBody)
	app.Use(func(*fiber.Ctx) error { return fiber.ErrNotFound })
}

// navigation lists the pages that every page links to.
func navigation() []section {
	return []section{
		{"Overview", "/"},
		{"Sources", "/sources"},
		{"Logs", "/logs"},
		{"Refused", "/refused"},
	}
}

// section is an entry of the navigation.
type section struct{ Name, Path string }
