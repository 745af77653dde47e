package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// inspector refuses what an expression may not contain. It runs before anything else reads the tree, because expr
// itself walks some trees in exponential time.
type inspector struct {
	seen      map[ast.Node]bool
	variables []string // declared by let and in scope
	functions []string
}

func inspect(tree ast.Node) error {
	i := &inspector{seen: map[ast.Node]bool{}}
	for _, f := range functions() {
		i.functions = append(i.functions, f.name)
	}
	return i.walk(tree, 1)
}

func (i *inspector) walk(node ast.Node, depth int) error {
	below, isAllowed := children(node)
	switch {
	case !isAllowed:
		return faultAt(node, "byte strings are not supported; write text in quotes")
	case i.seen[node]:
		// expr stands the middle of a < b < c and the a of a ?: b at two places of the tree. Nested in each other
		// they double with each level.
		return faultAt(node, "write a < b && b < c instead of a < b < c, and a ? a : b instead of a ?: b")
	case depth > maxDepth:
		return faultAt(node, "the expression is nested more than %d levels deep", maxDepth)
	case len(i.seen) >= maxNodes:
		return faultAt(node, "the expression has more than %d parts", maxNodes)
	}
	i.seen[node] = true
	if err := i.check(node); err != nil {
		return err
	}
	outside := i.variables
	for place, child := range below {
		deeper := depth + 1
		if place == 0 && isInfix(node) {
			deeper = depth
		}
		if let, isLet := node.(*ast.VariableDeclaratorNode); isLet && child == &let.Expr {
			i.variables = slices.Concat(outside, []string{let.Name})
		}
		if err := i.walk(*child, deeper); err != nil {
			return err
		}
	}
	i.variables = outside
	return nil
}

// isInfix tells the nodes whose first child stands beside rather than inside them.
func isInfix(node ast.Node) bool {
	switch node.(type) {
	case *ast.BinaryNode, *ast.MemberNode, *ast.ChainNode:
		return true
	}
	return false
}

func (i *inspector) check(node ast.Node) error {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return i.checkName(n)
	case *ast.VariableDeclaratorNode:
		return i.checkVariable(n)
	case *ast.CallNode:
		return i.checkCall(n)
	case *ast.BuiltinNode:
		if !slices.Contains(loops(), n.Name) {
			return unknownAt(n.Location(), "function", n.Name, append(loops(), i.functions...))
		}
	case *ast.BinaryNode:
		if n.Operator == "matches" {
			return checkPattern(n.Right)
		}
	}
	return nil
}

func (i *inspector) checkName(n *ast.IdentifierNode) error {
	if _, known := findRoot(n.Value); known || slices.Contains(i.variables, n.Value) {
		return nil
	}
	return unknownAt(n.Location(), "name", n.Value, append(rootNames(), i.variables...))
}

// checkVariable keeps variables apart from what has a meaning, and from the names that rewrite makes.
func (i *inspector) checkVariable(n *ast.VariableDeclaratorNode) error {
	_, isRoot := findRoot(n.Name)
	if isRoot || slices.Contains(i.functions, n.Name) || strings.HasPrefix(n.Name, "$") {
		return faultAt(n, "%q has a meaning already; choose another name for the variable", n.Name)
	}
	return nil
}

func (i *inspector) checkCall(n *ast.CallNode) error {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		if !slices.Contains(i.functions, callee.Value) {
			return unknownAt(n.Location(), "function", callee.Value, append(loops(), i.functions...))
		}
		return nil
	case *ast.MemberNode:
		name, isName := callee.Property.(*ast.StringNode)
		if isName && slices.Contains(methods(), name.Value) {
			return nil
		}
		if isName {
			return unknownAt(n.Location(), "method", name.Value, methods())
		}
	}
	return faultAt(n, "only functions and the methods of times and durations can be called")
}

// checkPattern refuses a regular expression that is not fixed or is costly.
func checkPattern(node ast.Node) error {
	literal, isLiteral := node.(*ast.StringNode)
	if !isLiteral {
		return faultAt(node, "the regular expression must be a literal in quotes")
	}
	if _, err := newPattern(literal.Value); err != nil {
		return faultAt(node, "%v", err)
	}
	return nil
}
