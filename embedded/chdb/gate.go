package chdb

import (
	"fmt"
	"strings"
)

// gate decides what the read-only interface runs. The engine's readonly=1 is
// not enough for that (seen on 26.7.3): it lets the scalar function file() read
// any file, DESCRIBE opens any file or URL to guess its columns, and a SETTINGS
// clause in a subquery, or one saying readonly = DEFAULT, lifts it.
type gate struct {
	tables map[string]bool // table functions that reach outside the database, in lower case
}

// newGate asks the engine which table functions it does not call read-only, so
// that a newer library's new ones are refused too. Names that are also plain
// functions (format) stay usable; as table functions readonly=1 stops them.
func newGate(e *engine) (*gate, error) {
	names, err := e.control.text("SELECT name FROM system.table_functions " +
		"WHERE NOT allow_readonly AND name NOT IN (SELECT name FROM system.functions) FORMAT TSVRaw")
	if err != nil {
		return nil, fmt.Errorf("listing the engine's table functions: %w", err)
	}
	g := &gate{tables: map[string]bool{"eval": true, "cluster": true, "clusterallreplicas": true}}
	for name := range strings.FieldsSeq(names) {
		g.tables[strings.ToLower(name)] = true
	}
	return g, nil
}

// admit returns the statement to run in place of sql: the engine's own print of
// what it parsed, so that what was judged here is what runs, whatever comments
// and quotes the original hid it in.
func (g *gate) admit(s *session, sql string) (string, error) {
	kind := s.classify(sql)
	if kind.statements == 0 {
		return "", newException(codeSyntaxError, "Empty query", "SYNTAX_ERROR")
	}
	if kind.statements != 1 || kind.class != classReadOnly {
		return "", refused("only a single statement that reads is allowed here")
	}
	printed, err := s.text("SELECT formatQuerySingleLine(" + quoteString(sql) + ")")
	if err != nil {
		return "", err
	}
	if reason := g.judge(lex(printed)); reason != "" {
		return "", refused(reason)
	}
	return printed, nil
}

func refused(reason string) *exception {
	return newException(codeReadonly, "Cannot execute query in readonly mode: "+reason, "READONLY")
}

// judge names what is not allowed in a printed statement, or nothing.
func (g *gate) judge(tokens []token) string {
	if len(tokens) == 0 || !readingVerb(tokens[0]) {
		return "it must start with SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN"
	}
	for i, t := range tokens {
		var before, after token
		if i > 0 {
			before = tokens[i-1]
		}
		if i+1 < len(tokens) {
			after = tokens[i+1]
		}
		if reason := g.judgeToken(before, t, after); reason != "" {
			return reason
		}
	}
	return ""
}

func readingVerb(t token) bool {
	for _, verb := range []string{"SELECT", "WITH", "SHOW", "DESCRIBE", "EXISTS", "EXPLAIN"} {
		if t.is(verb) {
			return true
		}
	}
	return t.value == "("
}

func (g *gate) judgeToken(before, t, after token) string {
	name := strings.ToLower(t.value)
	switch {
	case t.kind != word && t.kind != quoted:
		return ""
	case g.tables[name] && after.value == "(":
		return "the table function " + t.value + " reaches outside the database"
	case name == "file" && before.value != ".":
		// Also a name alone: arrayMap(file, ...) and APPLY file call it as well.
		return "the function file reads outside the database; write a column of that name as table.file"
	case t.is("OUTFILE") && before.is("INTO"):
		return "INTO OUTFILE writes a file"
	case t.is("SETTINGS") && before.value != "." && !before.is("SHOW") && !before.is("CHANGED"):
		return "a SETTINGS clause could lift the limits; give settings as URL arguments"
	case t.is("IDENTIFIER") && before.value == ":":
		return "a parameter cannot stand for a name here"
	default:
		return ""
	}
}
