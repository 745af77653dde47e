package console

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/helmet"

	"github.com/millrace/millrace/api"
)

// policy lets a page load what this process serves, and nothing else: no script or style that stands in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that tell browsers what not to do.
func secure() fiber.Handler {
	return helmet.New(helmet.Config{
		ContentSecurityPolicy:     policy,
		XFrameOptions:             "DENY",
		ReferrerPolicy:            "same-origin",
		CrossOriginOpenerPolicy:   "same-origin",
		CrossOriginResourcePolicy: "same-origin",
		PermissionPolicy:          "camera=(), geolocation=(), microphone=()",
	})
}

// refuseOtherSites refuses what a browser sends on behalf of a page of another site. Go's own check looks at
// Sec-Fetch-Site and Origin, which no page can forge, so that forms need no token.
func refuseOtherSites(c *fiber.Ctx) error {
	request := &http.Request{
		Method: c.Method(),
		Host:   string(c.Request().Header.Host()), // not c.Hostname(), which believes X-Forwarded-Host
		URL:    &url.URL{Path: c.Path()},
		Header: http.Header{},
	}
	for _, name := range []string{"Sec-Fetch-Site", fiber.HeaderOrigin} {
		if value := c.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	if err := http.NewCrossOriginProtection().Check(request); err != nil {
		return fiber.NewError(fiber.StatusForbidden, "A page of another site may not change anything here.")
	}
	return c.Next()
}

// isHere tells whether this machine asks, by a name that only this machine has: the name gives a rebound DNS name away.
func isHere(c *fiber.Ctx) bool {
	return api.IsLoopback(string(c.Request().Header.Host())) && c.Context().RemoteIP().IsLoopback()
}
