package rules

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// maxLevels bounds how deep text is read. Events are less deep, or ingest would have refused them.
const maxLevels = 1000

// value is a JSON value that keeps its source text. Objects and arrays are opened one level at a time, and only when
// somebody looks into them, because most of an event interests no trigger.
type value struct {
	arena     *arena
	raw       jsontext.Value // nil for a root that is not in the body, until write
	isCompact bool           // known to be without space between its tokens
	plain     any            // what expressions see, once one has looked
	level     *level         // what is inside, once it is opened
}

// level is the inside of an object or an array.
type level struct {
	members []member // in the order of the text; those of an array have no name
	list    []any    // an array as expressions see it, once one has looked
}

type member struct {
	name []byte
	value
}

func (v *value) kind() jsontext.Kind { return v.raw.Kind() }

// describe names the kind of the value for reasons; nil is a missing value.
func (v *value) describe() string {
	if v == nil {
		return "missing"
	}
	switch v.kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	default:
		return "no JSON"
	}
}

// open reads one level of an object or array and checks that the text below is sound.
func (v *value) open() error {
	if v.level != nil {
		return nil
	}
	opened, err := v.arena.open(v.raw)
	v.level = opened
	return err
}

// member returns an object's member, nil where there is none. Of two with the same name the last counts, as for most
// readers. Whatever is wrong with the text showed when the whole was opened; deeper down, opening cannot fail.
func (v *value) member(name string) *value {
	if v == nil || v.kind() != '{' || v.open() != nil {
		return nil
	}
	members := v.level.members
	for i := len(members) - 1; i >= 0; i-- {
		if string(members[i].name) == name {
			return &members[i].value
		}
	}
	return nil
}

// element returns an array's element, counted from the end where i is negative, nil where there is none.
func (v *value) element(i int) *value {
	if v == nil || v.kind() != '[' || v.open() != nil {
		return nil
	}
	if i < 0 {
		i += len(v.level.members)
	}
	if i < 0 || i >= len(v.level.members) {
		return nil
	}
	return &v.level.members[i].value
}

// step follows one step of a path.
func (v *value) step(name string) *value {
	if v == nil || v.kind() != '[' {
		return v.member(name)
	}
	i, err := strconv.ParseUint(name, 10, 31)
	if err != nil || strconv.FormatUint(i, 10) != name {
		return nil
	}
	return v.element(int(i))
}

// text returns what a JSON string says.
func (v *value) text() string { return string(jsonscan.Unescape(v.raw[1 : len(v.raw)-1])) }

// isEmptyText tells the string that says nothing.
func (v *value) isEmptyText() bool { return string(v.raw) == `""` }
