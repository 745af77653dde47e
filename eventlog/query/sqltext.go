package query

import (
	"fmt"
	"strings"
)

// maxStatement bounds a statement, in bytes.
const maxStatement = 64 << 10

// checkSelect returns the statement without the semicolon at its end. It must be one SELECT that can stand in
// parentheses, so that neither a second statement nor what would follow the parentheses, such as INTO OUTFILE, has a
// place in it. A SETTINGS clause could lift the bounds.
func checkSelect(statement string) (string, error) {
	if len(statement) > maxStatement {
		return "", &SQLError{fmt.Sprintf("the statement is longer than %d bytes", maxStatement)}
	}
	statement = strings.TrimRight(statement, "; \t\r\n")
	words, err := sqlWords(statement)
	if err != nil {
		return "", err
	}
	if len(words) == 0 || words[0] != "SELECT" && words[0] != "WITH" {
		return "", &SQLError{"the statement must be a SELECT, or a WITH and a SELECT"}
	}
	depth := 0
	for i, word := range words {
		switch {
		case word == "(":
			depth++
		case word == ")":
			depth--
		case word == ";":
			return "", &SQLError{"only a single statement is possible"}
		case word == "SETTINGS" && i+2 < len(words) && words[i+2] == "=":
			return "", &SQLError{"a SETTINGS clause is not possible"}
		}
		if depth < 0 {
			return "", &SQLError{"there is a ) too many"}
		}
	}
	if depth > 0 {
		return "", &SQLError{"a ( is not closed"}
	}
	return statement, nil
}

// sqlWords cuts a statement into words, in capitals, and single other characters. Comments are left out; quoted names
// and texts become a quote.
func sqlWords(sql string) ([]string, error) {
	var words []string
	for i := 0; i < len(sql); {
		rest := sql[i:]
		switch c := sql[i]; {
		case strings.HasPrefix(rest, "--"), c == '#':
			i += lineLength(rest)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return nil, &SQLError{"a comment is not closed"}
			}
			i += end + 4
		case c == '\'' || c == '"' || c == '`':
			length := quotedLength(rest)
			if length == 0 {
				return nil, &SQLError{fmt.Sprintf("a quote %c is not closed", c)}
			}
			words, i = append(words, string(c)), i+length
		case c == '$' || c >= 0x80:
			return nil, &SQLError{"outside of quotes only ASCII is possible, and no $: put texts in ' and names in `"}
		case isWordByte(c):
			length := 1
			for length < len(rest) && isWordByte(rest[length]) {
				length++
			}
			words, i = append(words, strings.ToUpper(rest[:length])), i+length
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		default:
			words, i = append(words, string(c)), i+1
		}
	}
	return words, nil
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func lineLength(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end + 1
	}
	return len(text)
}

// quotedLength is how long the quoted text is that a text begins with, 0 where it does not end. A quote inside is
// doubled, which reads like two quoted texts in a row, or stands behind a backslash.
func quotedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return 0
}
