package chdb

import "strings"

type tokenKind int

const (
	word   tokenKind = iota // a bare name, keyword or number
	quoted                  // a name in backticks or double quotes
	text                    // a string literal
	symbol                  // any other byte
)

// token is a piece of SQL; sql[start:end] is its source, quotes included.
type token struct {
	kind       tokenKind
	start, end int
	value      string // a word as written, a quoted name without its quotes, a symbol
}

// is reports whether the token is this keyword; want is in upper case.
func (t token) is(want string) bool {
	return t.kind == word && strings.EqualFold(t.value, want)
}

// lex splits SQL as ClickHouse does, dropping blanks and comments. It never
// fails: what a quote or comment leaves open runs to the end.
func lex(sql string) []token {
	var tokens []token
	for at := 0; at < len(sql); {
		if skip := blank(sql[at:]); skip > 0 {
			at += skip
			continue
		}
		t := next(sql, at)
		tokens = append(tokens, t)
		at = t.end
	}
	return tokens
}

// blank measures the white space or the comment that s starts with.
func blank(s string) int {
	switch {
	case strings.ContainsRune(" \t\n\r\f\v\x00", rune(s[0])):
		return 1
	case strings.HasPrefix(s, "\u00a0"):
		return len("\u00a0")
	case strings.HasPrefix(s, "--"), strings.HasPrefix(s, "#!"), strings.HasPrefix(s, "# "):
		return through(s, 2, "\n")
	case strings.HasPrefix(s, "/*"):
		return through(s, 2, "*/")
	default:
		return 0
	}
}

// through is the length of s up to and including the first mark after from.
func through(s string, from int, mark string) int {
	i := strings.Index(s[from:], mark)
	if i < 0 {
		return len(s)
	}
	return from + i + len(mark)
}

func next(sql string, at int) token {
	rest := sql[at:]
	switch c := rest[0]; {
	case c == '\'':
		return token{kind: text, start: at, end: at + quotedLength(rest)}
	case c == '`' || c == '"':
		n := quotedLength(rest)
		return token{kind: quoted, start: at, end: at + n, value: strings.Trim(rest[:n], string(c))}
	case c == '$' && heredoc(rest) > 0:
		return token{kind: text, start: at, end: at + heredoc(rest)}
	case isWordByte(c):
		n := 1
		for n < len(rest) && isWordByte(rest[n]) {
			n++
		}
		return token{kind: word, start: at, end: at + n, value: rest[:n]}
	default:
		return token{kind: symbol, start: at, end: at + 1, value: rest[:1]}
	}
}

// quotedLength is the length of the quoted piece s starts with. Both ways of
// writing the quote inside it count: doubled, and behind a backslash.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == s[0] && i+1 < len(s) && s[i+1] == s[0]:
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

// heredoc is the length of a $tag$ ... $tag$ literal, or 0 where s starts none.
func heredoc(s string) int {
	n := 1
	for n < len(s) && isWordByte(s[n]) && s[n] != '$' {
		n++
	}
	if n == len(s) || s[n] != '$' {
		return 0
	}
	tag := s[:n+1]
	if !strings.Contains(s[len(tag):], tag) {
		return 0
	}
	return through(s, len(tag), tag)
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
