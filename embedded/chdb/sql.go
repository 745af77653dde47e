package chdb

import "strings"

// firstWord is the keyword a statement starts with, in upper case; opening
// brackets in front of it are passed over.
func firstWord(sql string) string {
	for _, t := range lex(sql) {
		if t.value == "(" {
			continue
		}
		return strings.ToUpper(t.value)
	}
	return ""
}

// splitInsert takes the trailing FORMAT clause off an INSERT whose rows follow
// separately; ok is false where there is none or it is not an INSERT.
func splitInsert(sql string) (insert, format string, ok bool) {
	tokens := trimSemicolons(lex(sql))
	last := len(tokens) - 1
	if last < 2 || !tokens[0].is("INSERT") || !tokens[last-1].is("FORMAT") || tokens[last].kind != word {
		return sql, "", false
	}
	return sql[:tokens[last-1].start], tokens[last].value, true
}

// outputFormat finds the FORMAT clause of a query: at its end, or in front of a
// closing SETTINGS clause.
func outputFormat(sql string) (format string, ok bool) {
	tokens := trimSemicolons(lex(sql))
	for i := len(tokens) - 2; i > 0; i-- {
		if !tokens[i].is("FORMAT") || tokens[i+1].kind != word {
			continue
		}
		closes := i+2 == len(tokens) || tokens[i+2].is("SETTINGS")
		return tokens[i+1].value, closes
	}
	return "", false
}

func trimSemicolons(tokens []token) []token {
	for len(tokens) > 0 && tokens[len(tokens)-1].value == ";" {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// quoteString writes s as an SQL string literal.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// quoteName writes s as a quoted SQL name.
func quoteName(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

// isName reports whether s can stand in SQL unquoted as a setting's name.
func isName(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) || s[i] == '$' {
			return false
		}
	}
	return s != ""
}
