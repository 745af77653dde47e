package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Unescape returns what a string says, given the text between its quotes, which must have been read before. It is the
// text itself where nothing is escaped.
func Unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	plain, _ := jsontext.AppendUnquote(nil, `"`+string(text)+`"`)
	return plain
}

// quoted moves over a string, from one quote to the other.
func (s *scanner) quoted() bool {
	s.at++
	for {
		s.skipPlain()
		if s.at >= len(s.text) {
			return false
		}
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return true
		case c == '\\':
			if !s.escapes() {
				return false
			}
		case c < ' ' || !s.character():
			return false
		}
	}
}

// eight repeats a byte in each byte of a word.
const eight = 0x0101010101010101

// skipPlain moves to the next byte that is a quote, a backslash, a control character or not ASCII.
func (s *scanner) skipPlain() { s.at += plain(s.text[s.at:]) }

// IsPlain tells text that stands in a JSON string as it is: ASCII without quotes, backslashes and control characters.
func IsPlain(text string) bool { return plain(text) == len(text) }

// plain returns how many bytes from the beginning are. It looks at eight at a time: each that is not sets the highest
// bit of its byte in the sum below, and none before the first of them does.
func plain[Text string | []byte](text Text) int {
	at := 0
	for ; at+8 <= len(text); at += 8 {
		word := binary.LittleEndian.Uint64([]byte(text[at : at+8]))
		control, quote, backslash := word-' '*eight, (word^'"'*eight)-eight, (word^'\\'*eight)-eight
		if special := (word | control | quote | backslash) & (0x80 * eight); special != 0 {
			return at + bits.TrailingZeros64(special)/8
		}
	}
	for ; at < len(text); at++ {
		if c := text[at]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return at
}

// character moves over one that is not ASCII.
func (s *scanner) character() bool {
	r, size := utf8.DecodeRune(s.text[s.at:])
	if r == utf8.RuneError && size == 1 {
		return false
	}
	s.at += size
	return true
}

// escapes moves over all that follow each other, as in text of a script that is not Latin.
func (s *scanner) escapes() bool {
	for s.at < len(s.text) && s.text[s.at] == '\\' {
		if !s.escape() {
			return false
		}
	}
	return true
}

func (s *scanner) escape() bool {
	s.at++
	if s.at >= len(s.text) {
		return false
	}
	switch s.text[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
		return s.unicode()
	default:
		return false
	}
}

// The surrogates: only a high one followed by a low one is a character.
const (
	surrogates    = 0xD800
	lowSurrogates = 0xDC00
	surrogatesEnd = 0xE000
)

func (s *scanner) unicode() bool {
	unit, ok := s.unit()
	if !ok || unit < surrogates || unit >= surrogatesEnd {
		return ok
	}
	if unit >= lowSurrogates || !s.take('\\') || s.at >= len(s.text) || s.text[s.at] != 'u' {
		return false
	}
	unit, ok = s.unit()
	return ok && unit >= lowSurrogates && unit < surrogatesEnd
}

// unit moves over the u and the four hexadecimal digits of an escape and returns what they say.
func (s *scanner) unit() (int, bool) {
	s.at++
	unit := 0
	for i, c := range s.text[s.at:min(s.at+4, len(s.text))] {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | int(c|0x20-'a'+10)
		default:
			s.at += i
			return 0, false
		}
	}
	s.at += 4
	return unit, s.at <= len(s.text)
}
