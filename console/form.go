package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// form is what somebody has filled in, and what is wrong with it. Its inputs have the names that the API calls the same
// things, so that a fault that the API finds stands at its input.
type form struct {
	Values  url.Values
	Errors  map[string]string // by input
	Problem string            // of the whole
}

// readForm returns what was posted.
func readForm(c *fiber.Ctx) form {
	posted := form{Values: url.Values{}}
	c.Request().PostArgs().VisitAll(func(name, value []byte) {
		posted.Values.Add(string(name), strings.TrimSpace(string(value)))
	})
	return posted
}

// Value returns what the input holds.
func (f form) Value(name string) string { return f.Values.Get(name) }

// Error returns what is wrong with the input.
func (f form) Error(name string) string { return f.Errors[name] }

// Wheres are a filter's conditions on properties, and room for one more.
func (f form) Wheres() []string { return append(slices.Clone(f.Values["where"]), "") }

func (f *form) fail(name, message string) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	f.Errors[name] = message
}

// refuse puts what the API has refused where it belongs, and reports whether it was a refusal that the form can show.
// inputs are the names of the inputs there are.
func (f *form) refuse(err error, inputs ...string) (status int, shown bool) {
	var refused *api.RefusedError
	if !errors.As(err, &refused) || refused.Status == http.StatusUnauthorized || refused.Status == http.StatusNotFound {
		return 0, false
	}
	place := func(field, message string) {
		if name := inputFor(field, inputs); name != "" {
			f.fail(name, sentence(message))
			return
		}
		f.Problem = strings.TrimSpace(f.Problem + " " + sentence(message))
	}
	for _, problem := range refused.Problems {
		place(problem.Field, problem.Message)
	}
	if len(refused.Problems) == 0 {
		place(refused.Field, refused.Message)
	}
	return refused.Status, true
}

// inputFor is the input that a field of the API belongs to: of its name, or of the closest thing around it.
func inputFor(field string, inputs []string) string {
	best := ""
	for _, name := range inputs {
		if (field == name || strings.HasPrefix(field, name+".") || strings.HasPrefix(field, name+"[")) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// sentence begins with a capital letter and ends with a stop.
func sentence(message string) string {
	if message == "" {
		return message
	}
	message = strings.ToUpper(message[:1]) + message[1:]
	return strings.TrimRight(message, ".") + "."
}

// blame moves a fault of a filter to its input, one of inputs.
func (f *form) blame(failed *failure, inputs []string) {
	if input := inputFor(failed.Field, inputs); input != "" && failed.Status == http.StatusBadRequest {
		f.fail(input, sentence(failed.Detail))
		failed.Detail = "What to mend stands at its input above."
	}
}
