package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Both languages are read into yaml.v3's tree, which has positions and keeps members that are there twice. JSON is not
// left to the YAML parser, which knows no surrogate pairs.

// trees returns the documents of a file. After an error they are those before it.
func trees(text []byte) ([]*yaml.Node, error) {
	if json.Valid(text) {
		return jsonTrees(text)
	}
	var found []*yaml.Node
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		if root := document.Content[0]; root.ShortTag() != "!!null" {
			found = append(found, root)
		}
	}
}

// syntaxProblem gives the YAML parser's error a position of its own.
func syntaxProblem(file string, err error) Problem {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	problem := Problem{At: Position{File: file}, Message: "it cannot be read: " + message}
	if match := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(message); match != nil {
		line, _ := strconv.Atoi(match[1]) // digits
		problem.At = Position{file, line, 1}
		problem.Message = "this is not valid YAML: " + match[2]
	}
	return problem
}

// jsonTrees reads a JSON document, or a list of them.
func jsonTrees(text []byte) ([]*yaml.Node, error) {
	root, err := newJSONReader(text).value()
	if err != nil {
		return nil, err
	}
	if root.Kind == yaml.SequenceNode {
		return root.Content, nil
	}
	return []*yaml.Node{root}, nil
}

type jsonReader struct {
	decoder *json.Decoder
	text    []byte
	offset  int // up to where lines are counted
	line    int
	start   int // of the line
	values  int // that were read
}

// maxValues bounds the memory that a file of JSON takes: a value in the tree is many times what it is in the text.
const maxValues = 2_000_000

func newJSONReader(text []byte) *jsonReader {
	r := &jsonReader{decoder: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1}
	r.decoder.UseNumber()
	return r
}

// place returns the position of the next token, which only white space, a comma or a colon separates from the last one.
func (r *jsonReader) place() (line, column int) {
	at := int(r.decoder.InputOffset())
	at += len(r.text[at:]) - len(bytes.TrimLeft(r.text[at:], " \t\r\n,:"))
	for ; r.offset < at; r.offset++ {
		if r.text[r.offset] == '\n' {
			r.line, r.start = r.line+1, r.offset+1
		}
	}
	return r.line, at - r.start + 1
}

func (r *jsonReader) value() (*yaml.Node, error) {
	if r.values++; r.values > maxValues {
		return nil, fmt.Errorf("more than %d values in one file; divide it into several", maxValues)
	}
	line, column := r.place()
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: line, Column: column}
	switch value := token.(type) {
	case json.Delim:
		node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		if value == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		return node, r.members(node)
	case string:
		node.Tag, node.Value = "!!str", value
	case json.Number:
		node.Tag, node.Value = numberTag(value.String()), value.String()
	case bool:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(value)
	default:
		node.Tag, node.Value = "!!null", "null"
	}
	return node, nil
}

func numberTag(literal string) string {
	if strings.ContainsAny(literal, ".eE") {
		return "!!float"
	}
	return "!!int"
}

// members reads up to the end of a list or an object, whose names come as tokens like its values.
func (r *jsonReader) members(into *yaml.Node) error {
	for r.decoder.More() {
		member, err := r.value()
		if err != nil {
			return err
		}
		into.Content = append(into.Content, member)
	}
	_, err := r.decoder.Token()
	return err
}

// The bounds of what a document puts into the catalog as JSON. Aliases could otherwise make a small file large without
// end.
const (
	maxDepth = 64
	maxNodes = 100_000
)

// toJSON writes a tree as compact JSON. It adds to the number of nodes that the document has so far.
func toJSON(node *yaml.Node, nodes *int) (json.RawMessage, error) {
	var b bytes.Buffer
	err := appendJSON(&b, node, nodes, maxDepth)
	return b.Bytes(), err
}

func appendJSON(b *bytes.Buffer, node *yaml.Node, nodes *int, depth int) error {
	if *nodes++; *nodes > maxNodes || depth == 0 {
		return fmt.Errorf("must not have more than %d values, nor be deeper than %d", maxNodes, maxDepth)
	}
	switch node.Kind {
	case yaml.AliasNode:
		return appendJSON(b, node.Alias, nodes, depth-1)
	case yaml.SequenceNode:
		return appendList(b, node, nodes, depth)
	case yaml.MappingNode:
		return appendObject(b, node, nodes, depth)
	default:
		value, err := scalarJSON(node)
		b.Write(value)
		return err
	}
}

func appendList(b *bytes.Buffer, node *yaml.Node, nodes *int, depth int) error {
	b.WriteByte('[')
	for i, item := range node.Content {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendJSON(b, item, nodes, depth-1); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func appendObject(b *bytes.Buffer, node *yaml.Node, nodes *int, depth int) error {
	b.WriteByte('{')
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		if name.Kind != yaml.ScalarNode || name.ShortTag() == "!!merge" {
			return errors.New("has a member whose name is not text")
		}
		if seen[name.Value] {
			return fmt.Errorf("has the member %q twice", name.Value)
		}
		seen[name.Value] = true
		if i > 0 {
			b.WriteByte(',')
		}
		label, err := plainJSON(name.Value)
		if err != nil {
			return err
		}
		b.Write(append(label, ':'))
		if err := appendJSON(b, node.Content[i+1], nodes, depth-1); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// scalarJSON keeps numbers as they are written where JSON can, and reads dates as text.
func scalarJSON(node *yaml.Node) ([]byte, error) {
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return plainJSON(node.Value)
	case "!!int", "!!float":
		if json.Valid([]byte(node.Value)) {
			return []byte(node.Value), nil
		}
	case "!!bool", "!!null":
	default:
		return nil, fmt.Errorf("has a value of type %s, which JSON does not know", node.Tag)
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, err
	}
	encoded, err := plainJSON(value)
	if err != nil {
		return nil, fmt.Errorf("has the value %s, which JSON does not know", node.Value)
	}
	return encoded, nil
}

// plainJSON is json.Marshal without the escapes for HTML.
func plainJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
