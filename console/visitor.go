package console

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// visitor is who looks at a page, and the API as they see it.
type visitor struct {
	api.Me
	client *api.Client
}

// MayWrite tells whether to show buttons that change sources and triggers. The API decides once more when one is pressed.
func (v visitor) MayWrite() bool { return v.Scope == "write" || v.Scope == "admin" }

// MayAdmin tells whether to show buttons that change environments.
func (v visitor) MayAdmin() bool { return v.Scope == "admin" }

// LoggedIn tells whether there is something to log out of.
func (v visitor) LoggedIn() bool { return v.Name != "" && v.Name != api.LoopbackActor }

// visitorKey is where a request holds its visitor.
type visitorKey struct{}

func visitorOf(c *fiber.Ctx) visitor {
	found, _ := c.Locals(visitorKey{}).(visitor)
	return found
}

// identify asks the API who comes, and sends those whom it does not know to the login.
func (w *Console) identify(c *fiber.Ctx) error {
	token := w.token(c)
	if token == "" && c.Get("Sec-Fetch-Site") == "cross-site" {
		return bounce(c)
	}
	client := api.NewClient(w.config.APIURL, token)
	me, err := client.Me(c.UserContext())
	switch {
	case refusedWith(err, fiber.StatusUnauthorized):
		if token != "" {
			forget(c)
		}
		return c.Redirect("/login?next="+url.QueryEscape(backTo(c)), fiber.StatusSeeOther)
	case err != nil:
		return err
	}
	if err := checkOpen(c, me); err != nil {
		return err
	}
	c.Locals(visitorKey{}, visitor{me, client})
	return c.Next()
}

// checkOpen refuses visitors from elsewhere where the API asks for no token. It trusts whoever is on its machine: that is
// the console, which must not lend this trust to others.
func checkOpen(c *fiber.Ctx, me api.Me) error {
	if me.Name != api.LoopbackActor || isHere(c) {
		return nil
	}
	return fiber.NewError(fiber.StatusForbidden, "The management API asks for no token, so this console shows itself on its own machine only. "+
		"Ask for it as 127.0.0.1 or localhost there, or set --api-tokens.")
}

// backTo is where to go after the login: the page that was asked for, or the first one where that was no page.
func backTo(c *fiber.Ctx) string {
	if c.Method() != fiber.MethodGet {
		return "/"
	}
	return c.OriginalURL()
}

// bounce has the browser ask again. It shows no strict cookie to a page that a link of another site leads to, but does
// when the page itself asks.
func bounce(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("Refresh", "0")
	c.Type("html", "utf-8")
	return c.SendString("<!doctype html><title>Millrace</title>")
}
