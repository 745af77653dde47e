package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a change of the catalog has changed, member by member, for people to read.

// difference is a member that was set, changed or taken away.
type difference struct {
	Field         string // its path, such as mapping.data.total
	Before, After string // "" where there was none, or is none any more
}

const (
	// maxDifferences bounds what is shown of one change; a last difference says how many there are besides.
	maxDifferences = 40
	// maxDifferenceText is how many bytes are shown of each side, those where the sides begin to differ.
	maxDifferenceText = 500
	// sharedText is how much that both sides have in common is shown before that.
	sharedText = 80
	// maxDifferenceDepth is how deep members are told apart. Nothing in the catalog is deeper.
	maxDifferenceDepth = 8
)

// differences lists what differs between a thing before a change and after it, by path; either may be nothing.
func differences(before, after json.RawMessage) []difference {
	old, made := membersOf(before), membersOf(after)
	all := map[string]bool{}
	for field := range old {
		all[field] = old[field] != made[field]
	}
	for field := range made {
		all[field] = old[field] != made[field]
	}
	found, more := []difference{}, 0
	for _, field := range sortedKeys(all) {
		switch {
		case !all[field]:
		case len(found) == maxDifferences:
			more++
		default:
			was, is := excerpts(unquoted(old[field]), unquoted(made[field]))
			found = append(found, difference{field, was, is})
		}
	}
	if more > 0 {
		found = append(found, difference{Field: ellipsis, After: fmt.Sprintf("and %d members more", more)})
	}
	return found
}

// bookkept are the members that every change sets, or none.
func bookkept(name string) bool {
	return name == "id" || name == "revision" || name == "created_at" || name == "updated_at"
}

// membersOf returns the members of a thing as JSON, by their paths, without those that are empty.
func membersOf(thing json.RawMessage) map[string]string {
	members := map[string]string{}
	decoder := json.NewDecoder(bytes.NewReader(thing))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return members // it is nothing: before it was created, or after it was deleted
	}
	for name, value := range tree {
		if !bookkept(name) {
			collect(members, "", name, value, 1)
		}
	}
	return members
}

// collect puts a member, or those in it, among members.
func collect(members map[string]string, parent, name string, value any, depth int) {
	path := name
	if parent != "" {
		path = parent + "." + name
	}
	inside, isObject := value.(map[string]any)
	if isObject && depth < maxDifferenceDepth && !isRow(parent, name) {
		for name, value := range inside {
			collect(members, path, name, value, depth+1)
		}
		return
	}
	if text := compact(value); text != `""` && text != "null" && text != "[]" && text != "{}" {
		members[path] = text
	}
}

// isRow tells whether the member is a row of a mapping, whose object {"expr": ...} or {"value": ...} is one thing.
func isRow(parent, name string) bool {
	return parent == "mapping.data" || parent == "mapping" && name != "data"
}

// compact writes what was decoded as JSON again, equal things equally.
func compact(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// unquoted is the text of a JSON string, or JSON of another kind as it is.
func unquoted(encoded string) string {
	var text string
	if err := json.Unmarshal([]byte(encoded), &text); err != nil {
		return encoded
	}
	return text
}

// excerpts shortens both sides to where they begin to differ.
func excerpts(before, after string) (was, is string) {
	same := 0
	for same < min(len(before), len(after)) && before[same] == after[same] {
		same++
	}
	return excerpt(before, same-sharedText), excerpt(after, same-sharedText)
}

// excerpt is what fits of a text, from there on.
func excerpt(text string, from int) string {
	from = min(from, len(text)-maxDifferenceText)
	if from <= 0 {
		return cut(text, maxDifferenceText)
	}
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	return ellipsis + cut(text[from:], maxDifferenceText)
}
