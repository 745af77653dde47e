package query

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a property condition: what is longer is no question that a person asks.
const (
	maxConditions     = 20
	maxConditionBytes = 1000
	maxSegments       = 20
)

// operator compares a property with a value, or says whether there is one.
type operator string

const (
	equal    operator = "="
	unequal  operator = "!="
	greater  operator = ">"
	least    operator = ">="
	less     operator = "<"
	most     operator = "<="
	exists   operator = "exists"
	isAbsent operator = "missing"
)

// operators is what a condition may have, the longer before those they begin with.
func operators() []operator {
	return []operator{unequal, least, most, equal, greater, less, exists, isAbsent}
}

// segment is one step of a path: the member of a name, or an element of a list.
type segment struct {
	name    string
	index   int  // of an element, from 0; -1 where it is none
	isEach  bool // any element of the list
	isPlain bool // a name that a column can have, too
}

// valueKind says how a value is compared.
type valueKind int

const (
	textValue    valueKind = iota // with texts, byte by byte
	numberValue                   // with numbers, and for equality with texts written so
	booleanValue                  // with true and false
)

// operand is what a property is compared with.
type operand struct {
	kind   valueKind
	text   string // as it is written, without quotes
	number float64
}

// condition is a question about one property.
type condition struct {
	path    []segment
	op      operator
	operand operand // not for exists and missing
}

// parseCondition reads a condition such as properties.total>100. Its errors say what is wrong with it.
func parseCondition(text string) (condition, error) {
	if len(text) > maxConditionBytes || !utf8.ValidString(text) {
		return condition{}, fmt.Errorf("must be UTF-8 of at most %d bytes", maxConditionBytes)
	}
	path, rest, err := scanPath(text)
	if err != nil {
		return condition{}, err
	}
	rest = strings.TrimLeft(rest, " ")
	for _, op := range operators() {
		value, found := strings.CutPrefix(rest, string(op))
		if !found {
			continue
		}
		value = strings.Trim(value, " ")
		if op == exists || op == isAbsent {
			if value != "" {
				return condition{}, fmt.Errorf("nothing may follow %s", op)
			}
			return condition{path: path, op: op}, nil
		}
		operand, err := parseOperand(value, op)
		return condition{path, op, operand}, err
	}
	return condition{}, fmt.Errorf("after the path comes one of = != > >= < <= exists missing, such as properties.total>100")
}

// parsePath reads a path alone, such as properties.currency.
func parsePath(text string) ([]segment, error) {
	if len(text) > maxConditionBytes || !utf8.ValidString(text) {
		return nil, fmt.Errorf("must be UTF-8 of at most %d bytes", maxConditionBytes)
	}
	path, rest, err := scanPath(text)
	if err == nil && rest != "" {
		err = fmt.Errorf("%.20q is no part of a path; a name with such characters stands in double quotes", rest)
	}
	return path, err
}

// scanPath reads the path that a text begins with, and returns what follows it.
func scanPath(text string) (path []segment, rest string, err error) {
	root := strings.IndexFunc(text, func(r rune) bool { return !isNameRune(r) })
	if root < 0 || text[root] != '.' || text[:root] != "properties" && text[:root] != "data" {
		return nil, "", fmt.Errorf("must begin with properties. and the name of a property, such as properties.total")
	}
	rest = text[root:]
	for strings.HasPrefix(rest, ".") {
		var name segment
		if name, rest, err = scanName(rest[1:]); err != nil {
			return nil, "", err
		}
		path = append(path, name)
		for strings.HasPrefix(rest, "[]") {
			path, rest = append(path, segment{index: -1, isEach: true}), rest[2:]
		}
		if len(path) > maxSegments {
			return nil, "", fmt.Errorf("a path has at most %d parts", maxSegments)
		}
	}
	if path[0].index >= 0 {
		return nil, "", fmt.Errorf("properties is an object, not a list; a name of digits stands in double quotes")
	}
	return path, rest, nil
}

// scanName reads a name, quoted or not, or the number of an element.
func scanName(text string) (segment, string, error) {
	if strings.HasPrefix(text, `"`) {
		quoted, rest, err := scanQuoted(text)
		return segment{name: quoted, index: -1, isPlain: isPlain(quoted)}, rest, err
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !isNameRune(r) })
	if end < 0 {
		end = len(text)
	}
	name, rest := text[:end], text[end:]
	if name == "" {
		return segment{}, "", fmt.Errorf("a name is missing in the path; one with other characters than letters, digits, _, - and $ stands in double quotes")
	}
	if strings.Trim(name, "0123456789") != "" {
		return segment{name: name, index: -1, isPlain: isPlain(name)}, rest, nil
	}
	const largest = 1_000_000
	index, err := strconv.Atoi(name)
	if err != nil || index > largest {
		return segment{}, "", fmt.Errorf("element %.20s is beyond %d", name, largest)
	}
	return segment{index: index}, rest, nil
}

// scanQuoted reads the JSON string that a text begins with.
func scanQuoted(text string) (value, rest string, err error) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			if err := json.Unmarshal([]byte(text[:i+1]), &value); err != nil {
				return "", "", fmt.Errorf("%.40s is no JSON string", text[:i+1])
			}
			return value, text[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("the double quote of %.40s is not closed", text)
}

// isNameRune tells the characters that a name can have without quotes.
func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '$'
}

// isPlain tells the names that are their own path in the column: no other character has a meaning there.
func isPlain(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool { return !isNameRune(r) }) < 0
}

func parseOperand(text string, op operator) (operand, error) {
	switch {
	case text == "":
		return operand{}, fmt.Errorf(`after %s comes a value; "" is the empty text`, op)
	case text[0] == '"':
		value, rest, err := scanQuoted(text)
		if err == nil && rest != "" {
			err = fmt.Errorf("nothing may follow the closing double quote")
		}
		return operand{text: value}, err
	case text == "true" || text == "false":
		if op != equal && op != unequal {
			return operand{}, fmt.Errorf("%s is neither more nor less than anything; compare it with = or !=", text)
		}
		return operand{kind: booleanValue, text: text}, nil
	}
	// What JSON calls a number: 0x10, 1_000, Inf and NaN are texts.
	var number float64
	if err := json.Unmarshal([]byte(text), &number); err == nil {
		return operand{numberValue, text, number}, nil
	}
	return operand{text: text}, nil
}
