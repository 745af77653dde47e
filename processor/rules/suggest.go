package rules

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/schemas/typo"
)

// Warning says that a trigger reads what events do not have. It is no error: the member may be an optional one.
type Warning struct {
	Field      string `json:"field"`
	Line       int    `json:"line,omitempty"`   // from 1; 0 for the default of a field that is left out
	Column     int    `json:"column,omitempty"` // in characters, from 1; 0 for the default of a field that is left out
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"` // the path that may have been meant
}

// Missing warns of each reference that leads to nothing in every one of the events.
func (s *Shape) Missing(references []Reference) []Warning {
	warnings := []Warning{}
	if s.events == 0 {
		return warnings
	}
	for _, reference := range references {
		way := canonical(reference.way)
		if s.mayHave(way) {
			continue
		}
		warning := Warning{Field: reference.Field, Line: reference.Line, Column: reference.Column, Suggestion: s.suggest(way)}
		warning.Message = fmt.Sprintf("%s is not in the last %d events", reference.Path, s.events)
		if s.events == 1 {
			warning.Message = reference.Path + " is not in the last event"
		}
		if warning.Suggestion != "" {
			warning.Message += "; did you mean " + warning.Suggestion + "?"
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// canonical replaces raw.properties by data and so on: the same value has one path in a shape.
func canonical(way path) path {
	if way.root != rootRaw || len(way.steps) == 0 {
		return way
	}
	if r, isRoot := bodyRoot(way.steps[0]); isRoot {
		return path{root: r, steps: way.steps[1:]}
	}
	return way
}

// mayHave tells whether an event has the path, or may have it among what was not taken up.
func (s *Shape) mayHave(way path) bool {
	switch way.root {
	case rootEvent, rootReceivedAt, rootSource, rootEnvironment:
		return true // of every event
	case rootTimestamp, rootRaw:
		if len(way.steps) == 0 || way.steps[0] == "type" || way.steps[0] == "event" {
			return true
		}
	default:
	}
	at := s.roots[way.root]
	if at == nil {
		return s.isCut
	}
	for _, step := range way.steps {
		next := at.step(step)
		if next == nil {
			return at.isCut
		}
		at = next
	}
	return at.events > 0 || at.isCut
}

func (at *shape) step(name string) *shape {
	if found := at.members[name]; found != nil {
		return found
	}
	if isIndex(name) {
		return at.element
	}
	return nil
}

func isIndex(step string) bool { return strings.Trim(step, "0123456789") == "" }

// suggest returns a path of the events that looks like the missing one: with other names on the way, or else the same
// name at another place. It is "" where there is none.
func (s *Shape) suggest(way path) string {
	if at := s.roots[way.root]; at != nil {
		if mended := at.mend(way); mended != nil {
			return mended.String()
		}
	}
	name := rootNames()[way.root]
	if len(way.steps) > 0 {
		name = way.steps[len(way.steps)-1]
	}
	return s.elsewhere(name)
}

// mend replaces each name on the way that is missing by the nearest that is there. It returns nil where there is none
// near, and ends where the way does not go on.
func (at *shape) mend(way path) *path {
	mended, changed := path{root: way.root}, false
	for _, step := range way.steps {
		next := at.step(step)
		if next == nil && at.element != nil && at.element.step(step) != nil { // data.items.sku for data.items.0.sku
			mended.steps, changed = append(mended.steps, anyElement), true
			next = at.element.step(step)
		}
		if next == nil {
			near := Nearest(step, at.names())
			if near == "" {
				break
			}
			step, changed = near, true
			next = at.members[near]
		}
		mended.steps, at = append(mended.steps, step), next
	}
	if !changed {
		return nil
	}
	return &mended
}

// maxNearBytes bounds the names that are compared, which takes time with the square of their length.
const maxNearBytes = 64

// Nearest returns the known name that looks most like the one given, "" where none does. Those that are only spelled
// differently, as recipient_id and recipientId, are the same.
func Nearest(name string, known []string) string {
	spelled := map[string]string{}
	var spellings []string
	for _, candidate := range known {
		if s := spelling(candidate); len(s) <= maxNearBytes && spelled[s] == "" {
			spelled[s] = candidate
			spellings = append(spellings, s)
		}
	}
	return spelled[typo.Nearest(spelling(name), spellings)]
}

// spelling is a name without what people write differently.
func spelling(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", "$", "").Replace(name))
}

// elsewhere returns the shortest path that ends in the name.
func (s *Shape) elsewhere(name string) string {
	best := ""
	for _, property := range s.Properties() {
		steps, err := splitPath(property.Path)
		if err != nil || spelling(steps[len(steps)-1]) != spelling(name) || isIndex(name) {
			continue
		}
		if best == "" || len(property.Path) < len(best) {
			best = property.Path
		}
	}
	return best
}
