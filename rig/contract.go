package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is an OpenAPI 3.1 document that requests and answers are held against. It is stricter than the document: a
// member that an answer has and the document has not is a fault.
type Contract struct {
	document map[string]any

	mu       sync.Mutex // guards the compiler and what it has compiled
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// Exchange is a request and its answer.
type Exchange struct {
	Method, Path string // without the query
	Sent         []byte
	Answer       Answer
}

// documentURL is what the document is called inside the compiler.
const documentURL = "mem:///openapi.json"

// NewContract reads a document.
func NewContract(document []byte) (*Contract, error) {
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	root, isObject := tree.(map[string]any)
	if !isObject || root["openapi"] != "3.1.0" {
		return nil, fmt.Errorf("reading the OpenAPI document: it is not OpenAPI 3.1.0")
	}
	closeObjects(tree)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(documentURL, tree); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	return &Contract{document: root, compiler: compiler, compiled: map[string]*jsonschema.Schema{}}, nil
}

// closeObjects refuses members that a schema does not name.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		_, hasMembers := node["properties"].(map[string]any)
		if _, isOpen := node["additionalProperties"]; hasMembers && node["type"] == "object" && !isOpen {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

// Operation is a call that the document describes.
type Operation struct {
	Method, Path string // with {parameters}
	Scope        string // that it needs, "" for none

	fields  map[string]any
	pointer string // JSON pointer
}

// Operations lists the calls of the document.
func (c *Contract) Operations() []Operation {
	var all []Operation
	paths, _ := c.document["paths"].(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, fields := range methods {
			o := Operation{Method: strings.ToUpper(method), Path: path, pointer: "#/paths/" + escape(path) + "/" + method}
			o.fields, _ = fields.(map[string]any)
			o.Scope = scopeOf(o.fields)
			all = append(all, o)
		}
	}
	return all
}

func scopeOf(operation map[string]any) string {
	for _, requirement := range list(operation["security"]) {
		schemes, _ := requirement.(map[string]any)
		for _, scope := range list(schemes["token"]) {
			return fmt.Sprint(scope)
		}
	}
	return ""
}

func list(node any) []any {
	elements, _ := node.([]any)
	return elements
}

func escape(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// Check reports where an exchange and the document disagree.
func (c *Contract) Check(e Exchange) error {
	operation, found := c.find(e.Method, e.Path)
	if !found {
		if e.Answer.Status == http.StatusNotFound || e.Answer.Status == http.StatusMethodNotAllowed || e.Answer.Status == http.StatusUnauthorized {
			return c.validate("#/components/schemas/Error", e.Answer.Body)
		}
		return fmt.Errorf("%s %s: not in the OpenAPI document", e.Method, e.Path)
	}
	if err := c.checkAnswer(operation, e.Answer); err != nil {
		return fmt.Errorf("%s %s answered %d %s: %w", e.Method, e.Path, e.Answer.Status, e.Answer.Body, err)
	}
	if e.Answer.Status >= http.StatusMultipleChoices || len(e.Sent) == 0 {
		return nil
	}
	if err := c.validate(operation.pointer+"/requestBody/content/application~1json/schema", e.Sent); err != nil {
		return fmt.Errorf("%s %s took %s: %w", e.Method, e.Path, e.Sent, err)
	}
	return nil
}

// find returns the operation that a path belongs to: of several, the one with the fewest parameters.
func (c *Contract) find(method, path string) (best Operation, found bool) {
	for _, o := range c.Operations() {
		if o.Method != method || !fitsTemplate(o.Path, path) {
			continue
		}
		if !found || strings.Count(o.Path, "{") < strings.Count(best.Path, "{") {
			best, found = o, true
		}
	}
	return best, found
}

func fitsTemplate(template, path string) bool {
	wanted, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(wanted) != len(got) {
		return false
	}
	for i := range wanted {
		if !strings.HasPrefix(wanted[i], "{") && wanted[i] != got[i] {
			return false
		}
	}
	return true
}

func (c *Contract) checkAnswer(o Operation, answer Answer) error {
	responses, _ := o.fields["responses"].(map[string]any)
	described, listed := responses[strconv.Itoa(answer.Status)].(map[string]any)
	if !listed {
		return fmt.Errorf("the document does not have this status")
	}
	pointer := o.pointer + "/responses/" + strconv.Itoa(answer.Status)
	if ref, isRef := described["$ref"].(string); isRef {
		pointer = ref
		described = c.resolve(ref)
	}
	headers, _ := described["headers"].(map[string]any)
	for name := range headers {
		if answer.Header.Get(name) == "" {
			return fmt.Errorf("the header %s is missing", name)
		}
	}
	content, _ := described["content"].(map[string]any)
	_, hasLines := content["application/x-ndjson"]
	if hasLines && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-ndjson") {
		return c.validateLines(pointer+"/content/application~1x-ndjson/schema", answer.Body)
	}
	if _, isJSON := content["application/json"]; isJSON {
		return c.validate(pointer+"/content/application~1json/schema", answer.Body)
	}
	if len(content) == 0 && len(answer.Body) > 0 {
		return fmt.Errorf("the document has no body here")
	}
	return nil
}

// resolve follows a reference within the document.
func (c *Contract) resolve(ref string) map[string]any {
	node := c.document
	for token := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		node, _ = node[token].(map[string]any)
	}
	return node
}

func (c *Contract) validate(pointer string, body []byte) error {
	schema, err := c.schema(pointer)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return schema.Validate(value)
}

// validateLines checks an answer of which each line is a value of its own.
func (c *Contract) validateLines(pointer string, body []byte) error {
	for line := range bytes.Lines(body) {
		if err := c.validate(pointer, line); err != nil {
			return fmt.Errorf("line %.200s: %w", line, err)
		}
	}
	return nil
}

func (c *Contract) schema(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.compiled[pointer]; known != nil {
		return known, nil
	}
	made, err := c.compiler.Compile(documentURL + pointer)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", pointer, err)
	}
	c.compiled[pointer] = made
	return made, nil
}

// CompileAll compiles every schema of the document, whether an exchange comes by or not.
func (c *Contract) CompileAll() error {
	var schemas []string
	collect(c.document, "#", &schemas)
	for _, pointer := range schemas {
		if _, err := c.schema(pointer); err != nil {
			return err
		}
	}
	return nil
}

// collect finds the pointers of what stands under the name schema, and of the components.
func collect(node any, pointer string, into *[]string) {
	members, isObject := node.(map[string]any)
	if !isObject {
		for i, element := range list(node) {
			collect(element, pointer+"/"+strconv.Itoa(i), into)
		}
		return
	}
	for name, child := range members {
		at := pointer + "/" + escape(name)
		if name == "schema" || pointer == "#/components/schemas" {
			*into = append(*into, at)
			continue
		}
		collect(child, at, into)
	}
}

// contract fetches the document that the pipeline serves, once.
func (p *Pipeline) contract() (*Contract, error) {
	p.fetchContract.Lock()
	defer p.fetchContract.Unlock()
	if p.fetched != nil {
		return p.fetched, nil
	}
	answer, err := Request(http.MethodGet, p.APIURL+"/api/v1/openapi.json", nil, nil)
	if err != nil {
		return nil, err
	}
	var document json.RawMessage
	if err := Decode(answer, &document); err != nil {
		return nil, err
	}
	p.fetched, err = NewContract(document)
	return p.fetched, err
}
