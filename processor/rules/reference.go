package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/millrace/millrace/schemas"
)

// Reference is a path that a trigger reads, and where it stands in the trigger.
type Reference struct {
	Field  string // "condition", "mapping.recipients", "mapping.data.total", ...
	Path   string // such as data.items.0.sku; whichever element of a list is read, it is written 0 where an expression reads it
	Line   int    // from 1; 0 for the default of a field that is left out
	Column int    // in characters, from 1; 0 for the default of a field that is left out

	way path
}

// References lists the paths that a trigger reads, in the order of its fields. A field that does not compile has none:
// ask Compile first.
func References(trigger schemas.Trigger) []Reference {
	all := expressionReferences("condition", trigger.Condition)
	var m mapping
	for _, field := range m.fields(trigger.Mapping) {
		all = append(all, entryReferences(field.name, field.entry)...)
	}
	if isAbsent(trigger.Mapping.Recipients) {
		way := path{root: rootUserID}
		all = append(all, Reference{Field: "mapping.recipients", Path: way.String(), way: way})
	}
	for _, key := range slices.Sorted(maps.Keys(trigger.Mapping.Data)) {
		all = append(all, entryReferences("mapping.data."+key, trigger.Mapping.Data[key])...)
	}
	return all
}

func entryReferences(field string, entry json.RawMessage) []Reference {
	from, err := readEntry(field, entry)
	switch {
	case err != nil:
		return nil
	case from.Expr != nil:
		return expressionReferences(field, *from.Expr)
	case from.path == nil:
		return nil
	}
	way, err := parsePath(*from.path)
	if err != nil {
		return nil
	}
	return []Reference{{Field: field, Path: way.String(), Line: 1, Column: 1, way: way}}
}

// expressionReferences reads the tree as its author wrote it.
func expressionReferences(field, source string) (found []Reference) {
	defer func() {
		if recover() != nil { // the parser of expr is not written to survive every input
			found = nil
		}
	}()
	if source == "" || len(source) > maxSource {
		return nil
	}
	tree, err := parser.ParseWithConfig(source, authorConfig())
	if err != nil || inspect(tree.Node) != nil {
		return nil
	}
	reader := referrer{field: field, source: source, variables: map[string]*path{}}
	reader.visit(tree.Node)
	return reader.found
}

// String writes the path as parsePath reads it.
func (p path) String() string {
	var text strings.Builder
	text.WriteString(rootNames()[p.root])
	for _, step := range p.steps {
		text.WriteByte('.')
		text.WriteString(escapeStep(step))
	}
	return text.String()
}

// escapeStep writes a member's name as a step of a path.
func escapeStep(name string) string {
	if !strings.ContainsAny(name, `.\`) {
		return name
	}
	return strings.NewReplacer(`\`, `\\`, `.`, `\.`).Replace(name)
}

// then is the path one step on.
func (p path) then(step string) *path {
	return &path{root: p.root, steps: append(slices.Clip(p.steps), step)}
}

// anyElement is the step that stands for every element of a list.
const anyElement = "0"

// referrer gathers the paths of an expression.
type referrer struct {
	field, source string
	variables     map[string]*path // what let has given a name, nil for what is no path
	elements      []*path          // what # stands for, innermost last, nil for what is no path
	found         []Reference
}

func (r *referrer) visit(node ast.Node) {
	if way := r.pathOf(node); way != nil {
		r.add(node, *way)
		r.visitBase(node)
		return
	}
	switch n := node.(type) {
	case *ast.BuiltinNode:
		r.visitLoop(n)
	case *ast.VariableDeclaratorNode:
		r.visitLet(n)
	default:
		below, _ := children(node)
		for _, child := range below {
			r.visit(*child)
		}
	}
}

// visitBase looks into a loop that a path goes on from, as in filter(data.items, .price > 1)[0].sku.
func (r *referrer) visitBase(node ast.Node) {
	switch n := node.(type) {
	case *ast.MemberNode:
		r.visitBase(n.Node)
	case *ast.ChainNode:
		r.visitBase(n.Node)
	case *ast.BuiltinNode:
		r.visitLoop(n)
	}
}

func (r *referrer) visitLoop(n *ast.BuiltinNode) {
	r.visit(n.Arguments[0])
	list := r.pathOf(n.Arguments[0])
	if list != nil {
		list = list.then(anyElement)
	}
	r.elements = append(r.elements, list)
	for _, argument := range n.Arguments[1:] {
		r.visit(argument)
	}
	r.elements = r.elements[:len(r.elements)-1]
}

func (r *referrer) visitLet(n *ast.VariableDeclaratorNode) {
	r.visit(n.Value)
	outside, wasKnown := r.variables[n.Name]
	r.variables[n.Name] = r.pathOf(n.Value)
	r.visit(n.Expr)
	delete(r.variables, n.Name)
	if wasKnown {
		r.variables[n.Name] = outside
	}
}

// pathOf returns the path that a node reads, nil where it does something else.
func (r *referrer) pathOf(node ast.Node) *path {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if start, isRoot := findRoot(n.Value); isRoot {
			return &path{root: start}
		}
		return r.variables[n.Value]
	case *ast.PointerNode:
		if n.Name == "" && len(r.elements) > 0 {
			return r.elements[len(r.elements)-1]
		}
	case *ast.ChainNode:
		return r.pathOf(n.Node)
	case *ast.MemberNode:
		return r.pathOfMember(n)
	case *ast.BuiltinNode:
		return r.pathOfLoop(n)
	}
	return nil
}

func (r *referrer) pathOfMember(n *ast.MemberNode) *path {
	from := r.pathOf(n.Node)
	if from == nil {
		return nil
	}
	switch property := n.Property.(type) {
	case *ast.StringNode:
		return from.then(property.Value)
	case *ast.IntegerNode:
		return from.then(anyElement)
	case *ast.UnaryNode:
		if _, isIndex := property.Node.(*ast.IntegerNode); isIndex {
			return from.then(anyElement)
		}
	}
	return nil
}

// pathOfLoop knows the loops whose result is part of the list they go through.
func (r *referrer) pathOfLoop(n *ast.BuiltinNode) *path {
	list := r.pathOf(n.Arguments[0])
	if list == nil {
		return nil
	}
	switch n.Name {
	case "filter":
		return list
	case "find", "findLast":
		return list.then(anyElement)
	}
	return nil
}

// add notes a path at the place where it begins, unless it is what a loop goes through and has been noted there.
func (r *referrer) add(node ast.Node, way path) {
	start := beginning(node)
	if _, isLoop := start.(*ast.BuiltinNode); isLoop && start == node {
		return
	}
	line, column := position(r.source, start.Location().From)
	r.found = append(r.found, Reference{Field: r.field, Path: way.String(), Line: line, Column: column, way: way})
}

// beginning is the leftmost node of a path.
func beginning(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.MemberNode:
			node = n.Node
		case *ast.ChainNode:
			node = n.Node
		default:
			return node
		}
	}
}
