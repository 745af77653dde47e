package console

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/recover"
)

// route lists every page. What stands below identify has somebody who asks; live views end with ctx.
func (w *Console) route(ctx context.Context, app *fiber.App) {
	app.Use(w.metrics.Count)
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
	w.routeEditor(app) // before the triggers, one of which would be called "new"
	w.routeTriggers(app)
	w.routeRuns(app)
	w.routeReplays(ctx, app)
	w.routeAnalytics(app)
	w.routeSettings(app)
	app.Use(func(*fiber.Ctx) error { return fiber.ErrNotFound })
}

// navigation lists the pages that every page links to.
func navigation() []section {
	return []section{
		{Name: "Overview", Path: "/"},
		{Name: "Sources", Path: "/sources"},
		{Name: "Logs", Path: "/logs", Tabs: []tab{{"Events", "/logs"}, {"Refused requests", "/refused"}}},
		{Name: "Triggers", Path: "/triggers"},
		{Name: "Runs", Path: "/runs", Tabs: []tab{{"Runs", "/runs"}, {"Dead letters", "/dead-letters"}}},
		{Name: "Replays", Path: "/replays"},
		{Name: "Analytics", Path: "/analytics", Tabs: []tab{
			{"Events over time", "/analytics"}, {"Top lists", "/analytics/top"}, {"Deliveries", "/analytics/deliveries"}, {"Dedup and matching", "/analytics/matching"},
		}},
		{Name: "Settings", Path: "/settings", Tabs: []tab{{"Environments", "/settings"}, {"Tokens", "/settings/tokens"}, {"Audit log", "/settings/audit"}}},
	}
}

// section is an entry of the navigation.
type section struct {
	Name, Path string
	Tabs       []tab
}

// tab is one of the pages of a section that has several.
type tab struct{ Name, Path string }
