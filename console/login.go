package console

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// loginPage is what the login shows.
type loginPage struct {
	Next string
	Form form
}

func (w *Console) showLogin(c *fiber.Ctx) error {
	next := localPath(c.Query("next"))
	if w.token(c) != "" {
		return c.Redirect(next, fiber.StatusSeeOther)
	}
	shown := loginPage{Next: next}
	if c.Query("lost") != "" {
		shown.Form.Problem = "Your browser did not keep the login. Outside of this machine the console needs HTTPS: put TLS in front of it."
	}
	return w.show(c, fiber.StatusOK, page{Name: "login", Title: "Log in", Content: shown})
}

func (w *Console) logIn(c *fiber.Ctx) error {
	next, token := localPath(c.FormValue("next")), strings.TrimSpace(c.FormValue("token"))
	refused := loginPage{Next: next}
	if token == "" {
		refused.Form.fail("token", "Give a token.")
		return w.show(c, fiber.StatusUnprocessableEntity, page{Name: "login", Title: "Log in", Content: refused})
	}
	end, wait, inAll := w.logins.begin(networkOf(c), time.Now())
	if wait > 0 {
		return w.tooOften(c, refused, wait, inAll)
	}
	me, err := api.NewClient(w.config.APIURL, token).Me(c.UserContext())
	end(time.Now(), refusedWith(err, fiber.StatusUnauthorized))
	switch {
	case refusedWith(err, fiber.StatusUnauthorized):
		refused.Form.fail("token", "The API does not know this token. Whoever runs Millrace sets tokens with --api-tokens.")
		return w.show(c, fiber.StatusUnauthorized, page{Name: "login", Title: "Log in", Content: refused})
	case err != nil:
		return err
	}
	if err := checkOpen(c, me); err != nil {
		return err
	}
	w.remember(c, token)
	// The page that follows has the cookie, or says why not.
	return c.Redirect("/login?lost=1&next="+url.QueryEscape(next), fiber.StatusSeeOther)
}

// tooOften asks to come back later, whatever the token is: who tries many must not learn which is right.
func (w *Console) tooOften(c *fiber.Ctx, refused loginPage, wait time.Duration, inAll bool) error {
	seconds := int(math.Ceil(wait.Seconds()))
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
	whose := "from your address"
	if inAll {
		whose = "from all addresses together"
	}
	refused.Form.Problem = fmt.Sprintf("Too many wrong tokens came %s within a minute. This one was not looked at: try again in %d seconds. Logins that there are go on.", whose, seconds)
	return w.show(c, fiber.StatusTooManyRequests, page{Name: "login", Title: "Log in", Content: refused})
}

func (w *Console) logOut(c *fiber.Ctx) error {
	forget(c)
	return c.Redirect("/login", fiber.StatusSeeOther)
}

// localPath is the path if it leads to a page of this console, else the first page's.
func localPath(path string) string {
	parsed, err := url.Parse(path)
	isLocal := err == nil && parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//")
	if !isLocal || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
