package rules

import (
	"github.com/millrace/millrace/schemas/jsonscan"
)

// arena holds what is read of one event, and then of the next in the same place: an event is short-lived, and making
// room for its members anew took longer than reading them.
type arena struct {
	scanned []jsonscan.Member // of the level being opened
	members []member          // of all levels; full, a larger one takes its place, and levels keep the old one
	levels  []level           // the same
}

// reset forgets everything. Values that were read must not be used any more.
func (a *arena) reset() {
	clear(a.members)
	clear(a.levels)
	a.members, a.levels = a.members[:0], a.levels[:0]
}

// open reads one level of a JSON text.
func (a *arena) open(text []byte) (*level, error) {
	scanned, isCompact, err := jsonscan.AppendMembers(a.scanned[:0], text, maxLevels)
	if err != nil {
		return nil, err
	}
	a.scanned = scanned
	inside := a.level()
	inside.members = a.room(len(scanned))
	for i, found := range scanned {
		inside.members[i] = member{name: jsonscan.Unescape(found.Name), value: value{arena: a, raw: found.Value, isCompact: isCompact}}
	}
	return inside, nil
}

func (a *arena) level() *level {
	if len(a.levels) == cap(a.levels) {
		a.levels = make([]level, 0, 2*cap(a.levels)+4)
	}
	a.levels = a.levels[:len(a.levels)+1]
	return &a.levels[len(a.levels)-1]
}

// room returns so many members.
func (a *arena) room(count int) []member {
	used := len(a.members)
	if used+count > cap(a.members) {
		a.members, used = make([]member, 0, 2*cap(a.members)+count+16), 0
	}
	a.members = a.members[:used+count]
	return a.members[used : used+count : used+count]
}
