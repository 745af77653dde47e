package api

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Without tokens the API trusts whoever reaches the loopback interface. A browser on this machine does, too, on behalf
// of any page: the checks below tell its requests from the user's own.

// loopbackActor is who changes something where no token is asked for.
const loopbackActor = "loopback"

// checkLocal refuses what a browser sends on behalf of another site. The name in Host gives a rebound DNS name away;
// Sec-Fetch-Site and Origin, which pages cannot forge, give a request from elsewhere away.
func checkLocal(c *fiber.Ctx) error {
	// Not c.Hostname(), which believes X-Forwarded-Host.
	host := string(c.Request().Header.Host())
	if !isLoopback(hostname(host)) {
		return foreign("the Host header names another machine; ask for 127.0.0.1 or localhost, or set --api-tokens")
	}
	if slices.Contains([]string{fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions}, c.Method()) {
		return nil
	}
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return foreign("a page of another site may not change anything here; set --api-tokens and send a token")
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" && !sameHost(origin, host) {
		return foreign("a page of another site may not change anything here; set --api-tokens and send a token")
	}
	return nil
}

func foreign(message string) error {
	return &problem{status: fiber.StatusForbidden, Code: "forbidden", Message: message}
}

func sameHost(origin, host string) bool {
	parsed, err := url.Parse(origin)
	return err == nil && parsed.Host != "" && strings.EqualFold(parsed.Host, host)
}

// hostname is the name or address in a Host header.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
