package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"

	"github.com/millrace/millrace/schemas"
)

// maxPathSteps bounds a path: nothing lies deeper in an event.
const maxPathSteps = schemas.MaxDepth + 1

// path leads from a root to a value: data.items.0.sku. A step into an array is its index, from 0. In a member's name
// a dot is written \. and a backslash \\.
type path struct {
	root  root
	steps []string
}

func parsePath(source string) (path, error) {
	if len(source) > maxSource {
		return path{}, fmt.Errorf("the path has %d bytes, at most %d are allowed", len(source), maxSource)
	}
	steps, err := splitPath(source)
	if err != nil {
		return path{}, err
	}
	if len(steps) > maxPathSteps {
		return path{}, fmt.Errorf("the path has %d steps, at most %d lead anywhere", len(steps), maxPathSteps)
	}
	start, known := findRoot(steps[0])
	if !known {
		return path{}, unknownAt(file.Location{}, "name", steps[0], rootNames())
	}
	return path{root: start, steps: steps[1:]}, nil
}

// splitPath splits at the dots that no backslash precedes.
func splitPath(source string) ([]string, error) {
	if source == "" {
		return nil, errors.New("the path is empty; write one such as data.total")
	}
	var steps []string
	var step strings.Builder
	isEscaped := false
	characters := []rune(source)
	for i, r := range characters {
		switch {
		case isEscaped && r != '.' && r != '\\':
			return nil, pathError(i, `a backslash stands only before a dot or a backslash`)
		case !isEscaped && r == '\\':
			isEscaped = true
			continue
		case !isEscaped && r == '.':
			if step.Len() == 0 {
				return nil, pathError(i, "a name is missing before this dot")
			}
			steps = append(steps, step.String())
			step.Reset()
			continue
		}
		step.WriteRune(r)
		isEscaped = false
	}
	if isEscaped || step.Len() == 0 {
		return nil, pathError(len(characters), "the path ends where a name should follow")
	}
	return append(steps, step.String()), nil
}

func pathError(character int, message string) error {
	return &file.Error{Location: file.Location{From: character, To: character}, Message: message}
}

// follow returns the value at the end of the path, nil where the event has none.
func (p path) follow(event *Event) (*value, error) {
	v, err := event.root(p.root)
	if err != nil {
		return nil, err
	}
	for _, step := range p.steps {
		v = v.step(step)
	}
	return v, nil
}
