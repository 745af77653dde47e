package api

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// The revision of a thing is its ETag, by which two who change it at the same time notice each other.

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// answer sends one thing with its revision, or 304 to a reader who has it already. What is shown depends on the token.
func answer(c *fiber.Ctx, status int, revision int64, shown any) error {
	c.Set(fiber.HeaderETag, etag(revision))
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Vary(fiber.HeaderAuthorization)
	if status == fiber.StatusOK && c.Method() == fiber.MethodGet && has(c.Get(fiber.HeaderIfNoneMatch), etag(revision)) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Status(status).JSON(shown)
}

func has(ifNoneMatch, tag string) bool {
	for listed := range strings.SplitSeq(ifNoneMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(listed), "W/") == tag {
			return true
		}
	}
	return false
}

// wantedRevision reads If-Match: the revision that the change is meant for, or 0 for any.
func wantedRevision(c *fiber.Ctx) (int64, error) {
	text := strings.TrimSpace(c.Get(fiber.HeaderIfMatch))
	if text == "" || text == "*" {
		return 0, nil
	}
	quoted := len(text) > 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`)
	revision, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
	if err != nil || !quoted || revision < 1 {
		return 0, &problem{status: fiber.StatusBadRequest, Code: "bad_request", Field: "If-Match", Message: `If-Match: give the ETag of an answer as it was, such as "3" with its quotes`}
	}
	return revision, nil
}
