package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
)

// decode reads a request body strictly: a member nobody knows is more likely a typo than a wish, and a member that is
// there twice has no meaning. All that is wrong is reported at once.
func decode(c *fiber.Ctx, into any) error {
	value, err := readJSON(c.Body())
	if err != nil {
		return err
	}
	if invalid := unprocessable(misfits(value, into)); invalid != nil {
		return invalid
	}
	if err := json.Unmarshal(c.Body(), into); err != nil {
		return unprocessable([]problem{{Code: "invalid", Message: strings.TrimPrefix(err.Error(), "json: ")}})
	}
	return nil
}

// readJSON reads any value, with its numbers as they are written.
func readJSON(body []byte) (value any, err error) {
	var checked jsontext.Value // no member twice, no bad UTF-8, nothing behind it: encoding/json lets these pass
	if err := strict.Unmarshal(body, &checked); err != nil {
		return nil, invalidJSON(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(checked))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, invalidJSON(err)
	}
	return value, nil
}

// decodeOptional is decode for a body that may be left out.
func decodeOptional(c *fiber.Ctx, into any) error {
	if len(c.Body()) == 0 {
		return nil
	}
	return decode(c, into)
}

func invalidJSON(err error) error {
	message := "the body is not valid JSON: " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "jsontext: ")
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		message = "the body ends before its JSON does; send one JSON object"
	}
	return &problem{status: fiber.StatusBadRequest, Code: "invalid_json", Message: message}
}

// nullable is a member that null takes away; absent, it leaves everything as it is.
type nullable[T any] struct {
	present bool
	value   *T
}

// UnmarshalJSON is called where the member is present.
func (n *nullable[T]) UnmarshalJSON(text []byte) error {
	n.present = true
	return json.Unmarshal(text, &n.value)
}

// example is what the member holds where it is not null, for misfits to look at.
func (*nullable[T]) example() any { return new(T) }

// path joins the names of members to the name of a field.
func path(parent, member string) string {
	if parent == "" {
		return member
	}
	return parent + "." + member
}

// misfit is a fault of one member.
func misfit(field, format string, args ...any) problem {
	name := field
	if name == "" {
		name = "the body"
	}
	return problem{Code: "invalid", Field: field, Message: name + ": " + fmt.Sprintf(format, args...)}
}
