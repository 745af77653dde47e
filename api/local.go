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

// LoopbackActor is who asks where no token is asked for: whoever is on this machine. No token may have the name.
const LoopbackActor = "loopback"

// checkLocal refuses what a browser sends on behalf of another site. The name in Host gives a rebound DNS name away;
// Sec-Fetch-Site and Origin, which pages cannot forge, give a request from elsewhere away.
func checkLocal(c *fiber.Ctx) error {
	// Not c.Hostname(), which believes X-Forwarded-Host.
	host := string(c.Request().Header.Host())
	if !IsLoopback(host) {
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

// IsLoopback tells whether a Host header or an address, with or without a port, names this machine and no other.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
