package receiver

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/millrace/millrace/schemas"
)

// A summary is meant for one line of a terminal.
const (
	shownRecipients = 3
	shownRunes      = 100 // of the data, and of each name
)

// String sums the run up in one line: workflow, recipients, run ID and the beginning of the data. What cannot be
// printed is replaced, since all of it comes from outside and may hold commands to a terminal.
func (r Received) String() string {
	var request schemas.RunRequest
	// A body that is no request has no recipients and no data to show.
	_ = json.Unmarshal(r.Body, &request)
	line := fmt.Sprintf("%s for %s  run %s", short(r.Workflow), recipients(request.Recipients), short(r.Key))
	if len(request.Data) > 0 {
		line += "  " + short(string(request.Data))
	}
	return line
}

func recipients(all []json.RawMessage) string {
	var names []string
	for _, one := range all[:min(len(all), shownRecipients)] {
		names = append(names, short(recipient(one)))
	}
	list := strings.Join(names, ", ")
	if more := len(all) - len(names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// recipient returns a recipient's ID. A recipient is a string or an object with an id.
func recipient(raw json.RawMessage) string {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &object) == nil && object.ID != "" {
		return object.ID
	}
	return string(raw)
}

func short(text string) string {
	var out strings.Builder
	runes := 0
	for _, r := range text {
		if runes == shownRunes {
			return out.String() + "…"
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		out.WriteRune(r)
		runes++
	}
	return out.String()
}
