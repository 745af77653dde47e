package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// What the forms on a source's page do.

// sourceChange is one of them: a call, and where what is wrong with it is shown.
type sourceChange struct {
	call   api.Call
	inputs []string
	at     func(*sourcePage) *form // the form that was posted
	keep   bool                    // what was typed stays where it is wrong
	done   string
}

// change makes the call, and shows the page again where it is refused.
func (w *Console) change(c *fiber.Ctx, posted form, change sourceChange) error {
	change.call.Revision, _ = strconv.ParseInt(posted.Value("revision"), 10, 64)
	err := visitorOf(c).client.Do(c.UserContext(), change.call, nil)
	if err == nil {
		return done(c, "/sources/"+url.PathEscape(unescaped(c, "id")), change.done)
	}
	status, shown := posted.refuse(err, change.inputs...)
	if !shown {
		return err
	}
	page, err := w.readSource(c)
	if err != nil {
		return err
	}
	if status == http.StatusPreconditionFailed {
		posted.Problem = "Somebody else has changed the source since this page was loaded. What it is now stands below; change it again where need be."
		change.keep = false
	}
	if at := change.at(&page); at != nil {
		if !change.keep {
			posted.Values = at.Values
		}
		*at = posted
	}
	return w.showSourceAs(c, status, page)
}

func (w *Console) updateSource(c *fiber.Ctx) error {
	posted := readForm(c)
	return w.change(c, posted, sourceChange{
		call: api.Call{Method: http.MethodPatch, Path: api.Path("sources", unescaped(c, "id")), Body: map[string]any{
			"name": posted.Value("name"), "description": posted.Value("description"), "disabled": posted.Value("disabled") == "on",
		}},
		inputs: []string{"name", "description", "disabled"},
		at:     func(page *sourcePage) *form { return &page.Form }, keep: true, done: "saved",
	})
}

func (w *Console) deleteSource(c *fiber.Ctx) error {
	posted := readForm(c)
	call := api.Call{Method: http.MethodDelete, Path: api.Path("sources", unescaped(c, "id"))}
	call.Revision, _ = strconv.ParseInt(posted.Value("revision"), 10, 64)
	if err := visitorOf(c).client.Do(c.UserContext(), call, nil); err != nil {
		return err
	}
	return done(c, "/sources", "deleted")
}

// endpointForm finds the form of an endpoint in the page.
func endpointForm(environment string, which func(*endpointView) *form) func(*sourcePage) *form {
	return func(page *sourcePage) *form {
		for i := range page.Endpoints {
			if page.Endpoints[i].Environment == environment {
				return which(&page.Endpoints[i])
			}
		}
		return &page.Form
	}
}

func (w *Console) updateEndpoint(c *fiber.Ctx) error {
	posted, environment := readForm(c), unescaped(c, "environment")
	prefix := endpointView{Environment: environment}.Prefix()
	settings := map[string]any{}
	if posted.Values.Has(prefix + "dedup_window") { // else the endpoint is only made
		settings["dedup_window"] = posted.Value(prefix + "dedup_window")
		settings["disabled"] = posted.Value(prefix+"disabled") == "on"
		settings["max_bytes"] = wholeNumber(posted.Value(prefix + "max_bytes"))
		settings["signature"] = nil
		if scheme := posted.Value(prefix + "signature.scheme"); scheme != "" {
			settings["signature"] = map[string]any{"scheme": scheme, "secret": posted.Value(prefix + "signature.secret")}
		}
	}
	return w.change(c, posted, sourceChange{
		call: api.Call{Method: http.MethodPatch, Path: api.Path("sources", unescaped(c, "id")), Body: map[string]any{
			"endpoints": map[string]any{environment: settings},
		}},
		inputs: []string{prefix + "dedup_window", prefix + "disabled", prefix + "max_bytes", prefix + "signature.scheme", prefix + "signature.secret"},
		at:     endpointForm(environment, func(e *endpointView) *form { return &e.Form }), keep: true, done: "saved",
	})
}

// wholeNumber is the number that was typed, 0 for nothing; what is none goes to the API as it is, which says what is wrong.
func wholeNumber(text string) any {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		return text
	}
	return n
}

func (w *Console) rotateKey(c *fiber.Ctx) error {
	posted, environment := readForm(c), unescaped(c, "environment")
	return w.change(c, posted, sourceChange{
		call: api.Call{
			Method: http.MethodPost, Path: api.Path("sources", unescaped(c, "id"), "endpoints", environment, "rotate"),
			Body: map[string]any{"grace": posted.Value("grace")},
		},
		inputs: []string{"grace"},
		at:     endpointForm(environment, func(e *endpointView) *form { return &e.Rotation }), keep: true, done: "rotated",
	})
}
