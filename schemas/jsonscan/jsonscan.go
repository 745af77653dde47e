// Package jsonscan reads JSON text one level at a time, and fast: it is asked about every event. It checks the whole
// text as RFC 8259 has it, valid UTF-8 and paired surrogates included, and returns where the members of the outermost
// object or array lie, without copying or understanding what is inside them.
package jsonscan

import (
	"errors"
	"fmt"
)

// Member is a member of an object or an element of an array, as parts of the text.
type Member struct {
	Name  []byte // what stands between the quotes, escapes and all; nil in an array
	Value []byte // without the space around it
}

// The faults of a text. Errors wrap one of them and say at which byte, counted from 0.
var (
	ErrSyntax  = errors.New("not valid JSON")
	ErrTooDeep = errors.New("too many levels of objects and arrays")
)

// AppendMembers appends the members of the object or array that text is; any other value has none. Names may repeat.
// The whole text must be one sound JSON value with at most maxDepth levels of objects and arrays. isCompact says that
// there is no space outside strings.
func AppendMembers(members []Member, text []byte, maxDepth int) (all []Member, isCompact bool, err error) {
	s := scanner{text: text, members: members, maxDepth: maxDepth}
	s.skipSpace()
	s.isWhole = s.value(0)
	if s.isWhole {
		s.skipSpace()
	}
	switch {
	case s.isWhole && s.at == len(text):
		return s.members, !s.hasSpace, nil
	case s.isTooDeep:
		return nil, false, fmt.Errorf("%w at byte %d, at most %d are read", ErrTooDeep, s.at, maxDepth)
	case s.at >= len(text):
		return nil, false, fmt.Errorf("%w: it ends early", ErrSyntax)
	case s.isWhole:
		return nil, false, fmt.Errorf("%w: something follows the JSON value, at byte %d", ErrSyntax, s.at)
	default:
		return nil, false, fmt.Errorf("%w: unexpected %q at byte %d", ErrSyntax, text[s.at], s.at)
	}
}

// scanner stands at a byte of the text. Its methods move it over what they are named for and report whether that was
// there; where not, it stands at the fault.
type scanner struct {
	text      []byte
	at        int
	members   []Member // of the outermost level
	maxDepth  int
	hasSpace  bool // outside strings
	isTooDeep bool
	isWhole   bool // the outermost value is
}

// value moves over a value that lies inside depth objects and arrays.
func (s *scanner) value(depth int) bool {
	if s.at >= len(s.text) {
		return false
	}
	switch s.text[s.at] {
	case '"':
		return s.quoted()
	case '{', '[':
		return s.container(depth + 1)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// container moves over an object or array that is the depth-th around its members.
func (s *scanner) container(depth int) bool {
	if depth > s.maxDepth {
		s.isTooDeep = true
		return false
	}
	end := s.text[s.at] + 2 // in ASCII, both closing brackets stand two after the opening one
	s.at++
	s.skipSpace()
	if s.take(end) {
		return true
	}
	for {
		if !s.member(end == '}', depth) {
			return false
		}
		s.skipSpace()
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
		s.skipSpace()
	}
}

func (s *scanner) member(isNamed bool, depth int) bool {
	var found Member
	if isNamed {
		start := s.at
		if !s.name() {
			return false
		}
		found.Name = s.text[start+1 : s.at-1 : s.at-1]
		s.skipSpace()
		if !s.take(':') {
			return false
		}
		s.skipSpace()
	}
	start := s.at
	if !s.value(depth) {
		return false
	}
	if depth == 1 {
		found.Value = s.text[start:s.at:s.at]
		s.members = append(s.members, found)
	}
	return true
}

func (s *scanner) name() bool {
	return s.at < len(s.text) && s.text[s.at] == '"' && s.quoted()
}

func (s *scanner) skipSpace() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\n', '\t', '\r':
			s.hasSpace = true
			s.at++
		default:
			return
		}
	}
}

// take moves over one byte, if it is the expected one.
func (s *scanner) take(expected byte) bool {
	if s.at >= len(s.text) || s.text[s.at] != expected {
		return false
	}
	s.at++
	return true
}

func (s *scanner) literal(word string) bool {
	for i := range len(word) {
		if !s.take(word[i]) {
			return false
		}
	}
	return true
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('-') {
			s.take('+')
		}
		return s.digits()
	}
	return true
}

// digits moves over at least one.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
