package query

import (
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// asks turns paths and conditions into SQL. Names and values are bound, never spliced: what is made here are places for
// them.
//
// Where every part of a path is a plain name, the column properties answers, of which ClickHouse reads no more than that
// path. Else the body is taken apart, which takes ten times as long: list elements, and names that have a meaning in
// the names of such columns.
type asks struct {
	prefix string // of the names that are bound
	args   []any
	rounds int // of names for the elements of lists
}

// bind returns the place of a value of a ClickHouse type.
func (a *asks) bind(value any, as string) string {
	name := fmt.Sprintf("%s_%d", a.prefix, len(a.args))
	a.args = append(a.args, clickhouse.Named(name, value))
	return "{" + name + ":" + as + "}"
}

// condition returns what is true where the condition holds, and never NULL.
func (a *asks) condition(c condition) string {
	op := c.op
	if isNegated := op == unequal || op == isAbsent; isNegated {
		c.op = map[operator]operator{unequal: equal, isAbsent: exists}[op]
		return "NOT " + a.condition(c)
	}
	if isColumn(c.path) {
		return "ifNull(" + a.inColumn(c) + ", 0)"
	}
	return a.inBody(c, "body", []string{"'properties'"}, c.path)
}

func isColumn(path []segment) bool {
	for _, segment := range path {
		if !segment.isPlain {
			return false
		}
	}
	return true
}

// dotted is the path as the column names it.
func dotted(path []segment) string {
	names := make([]string, len(path))
	for i, segment := range path {
		names[i] = segment.name
	}
	return strings.Join(names, ".")
}

// value is the column of what lies at the path, of any type.
func (a *asks) value(path []segment) string { return a.bind("properties."+dotted(path), "Identifier") }

// below is the column of the object at the path; ClickHouse quotes the first name of such a path.
func (a *asks) below(path []segment) string {
	names := append([]segment{{name: "^`" + path[0].name + "`"}}, path[1:]...)
	return a.bind("properties."+dotted(names), "Identifier")
}

// typed is the column of the values of one type at the path.
func (a *asks) typed(path []segment, as string) string {
	return a.bind("properties."+dotted(path)+".:`"+as+"`", "Identifier")
}

func (a *asks) inColumn(c condition) string {
	op := string(c.op)
	switch {
	case c.op == exists:
		// An object has no value of its own at its path, only what is below it.
		return "(" + a.value(c.path) + " IS NOT NULL OR toString(" + a.below(c.path) + ") != '{}')"
	case c.operand.kind == booleanValue:
		return "(" + a.typed(c.path, "Bool") + " = " + c.operand.text + ")"
	case c.operand.kind == textValue:
		return "(" + a.typed(c.path, "String") + " " + op + " " + a.bind(c.operand.text, "String") + ")"
	}
	number := "coalesce(" + a.typed(c.path, "Float64") + ", toFloat64(" + a.typed(c.path, "Int64") + "), toFloat64(" + a.typed(c.path, "UInt64") + "))"
	compared := "ifNull(" + number + " " + op + " " + a.bind(c.operand.number, "Float64") + ", 0)"
	if c.op != equal {
		return compared
	}
	return "(" + compared + " OR ifNull(" + a.typed(c.path, "String") + " = " + a.bind(c.operand.text, "String") + ", 0))"
}

// inBody asks the JSON text that base stands for. The keys lead from it to where the path begins.
func (a *asks) inBody(c condition, base string, keys []string, path []segment) string {
	for i, segment := range path {
		if segment.isEach {
			a.rounds++
			element := fmt.Sprintf("element_%d", a.rounds)
			return "arrayExists(" + element + " -> " + a.inBody(c, element, nil, path[i+1:]) + ", " + call("JSONExtractArrayRaw", base, keys) + ")"
		}
		base, keys = a.step(base, keys, segment)
	}
	op := string(c.op)
	kind := call("JSONType", base, keys)
	switch {
	case c.op == exists:
		return "(" + kind + " NOT IN ('Null', 'Object') OR notEmpty(" + call("JSONExtractKeys", base, keys) + "))"
	case c.operand.kind == booleanValue:
		return "(" + kind + " = 'Bool' AND " + call("JSONExtractBool", base, keys) + " = " + c.operand.text + ")"
	case c.operand.kind == textValue:
		return "(" + kind + " = 'String' AND " + call("JSONExtractString", base, keys) + " " + op + " " + a.bind(c.operand.text, "String") + ")"
	}
	compared := "(" + kind + " IN ('Int64', 'UInt64', 'Double') AND " + call("JSONExtractFloat", base, keys) + " " + op + " " + a.bind(c.operand.number, "Float64") + ")"
	if c.op != equal {
		return compared
	}
	return "(" + compared + " OR " + kind + " = 'String' AND " + call("JSONExtractString", base, keys) + " = " + a.bind(c.operand.text, "String") + ")"
}

// step goes one part of a path further. An element is taken from the list itself: ClickHouse would count the members of
// an object, too.
func (a *asks) step(base string, keys []string, next segment) (string, []string) {
	if next.index < 0 {
		return base, append(keys, a.bind(next.name, "String"))
	}
	return "arrayElement(" + call("JSONExtractArrayRaw", base, keys) + ", " + a.bind(next.index+1, "UInt32") + ")", nil
}

func call(function, base string, keys []string) string {
	return function + "(" + strings.Join(append([]string{base}, keys...), ", ") + ")"
}

// text returns the value at a path as text, NULL where there is none. The path must not have isEach.
func (a *asks) text(path []segment) string {
	if isColumn(path) {
		return "CAST(" + a.value(path) + " AS Nullable(String))"
	}
	base, keys := "body", []string{"'properties'"}
	for _, segment := range path {
		base, keys = a.step(base, keys, segment)
	}
	kind := call("JSONType", base, keys)
	return "multiIf(" + kind + " = 'String', " + call("JSONExtractString", base, keys) + ", " + kind + " = 'Null', NULL, " + call("JSONExtractRaw", base, keys) + ")"
}
