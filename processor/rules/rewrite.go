package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// loops lists expr's own builtins that stay. Their compiled form is a loop in the VM; everything else that an
// expression does becomes a call of one of our functions.
func loops() []string {
	return []string{"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum"}
}

// rewrite replaces what an expression does by calls that treat a missing value as nil, and that pay for their work
// from the event's steps. The tree must have passed inspect.
func rewrite(slot *ast.Node) {
	complete(*slot)
	conditions := conditionSlots(*slot)
	below, _ := children(*slot)
	for _, child := range below {
		isCondition := slices.Contains(conditions, child) && !yieldsBool(*child)
		rewrite(child)
		if isCondition {
			*child = call((*child).Location(), "bool", *child)
		}
	}
	*slot = replacement(*slot)
}

// complete gives a loop the predicate that may be left out, what a turn costs, and a body of the type it needs.
func complete(node ast.Node) {
	n, isLoop := node.(*ast.BuiltinNode)
	if !isLoop {
		return
	}
	if len(n.Arguments) == 1 {
		n.Arguments = append(n.Arguments, &ast.PredicateNode{Node: &ast.PointerNode{}})
	}
	body := n.Arguments[1].(*ast.PredicateNode)
	turn := count(body)
	switch {
	case n.Name == "sum":
		body.Node = call(n.Location(), "summand", body.Node)
	case n.Name != "map" && !yieldsBool(body.Node):
		body.Node = call(n.Location(), "bool", body.Node)
	}
	n.Arguments[0] = call(n.Arguments[0].Location(), "elements", n.Arguments[0], &ast.IntegerNode{Value: turn})
}

// conditionSlots returns the children that are read as true or false.
func conditionSlots(node ast.Node) []*ast.Node {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return []*ast.Node{&n.Node}
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			return []*ast.Node{&n.Left, &n.Right}
		}
	case *ast.ConditionalNode:
		return []*ast.Node{&n.Cond}
	}
	return nil
}

// yieldsBool tells the nodes whose value is always a boolean.
func yieldsBool(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BoolNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "!" || n.Operator == "not"
	case *ast.BinaryNode:
		return slices.Contains([]string{
			"&&", "and", "||", "or", "==", "!=", "<", "<=", ">", ">=", "in", "matches", "contains", "startsWith", "endsWith",
		}, n.Operator)
	case *ast.BuiltinNode:
		return slices.Contains([]string{"all", "none", "any", "one"}, n.Name)
	}
	return false
}

// replacement returns what stands for a node whose children are rewritten.
func replacement(node ast.Node) ast.Node {
	at := node.Location()
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if r, isRoot := findRoot(n.Value); isRoot {
			return call(at, "path", &ast.ConstantNode{Value: &path{root: r}})
		}
	case *ast.ChainNode: // every access is optional
		return n.Node
	case *ast.MemberNode:
		return replaceMember(n)
	case *ast.SliceNode:
		return call(at, "slice", n.Node, orNil(n.From), orNil(n.To))
	case *ast.CallNode:
		return replaceCall(n)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			return call(at, "unary"+n.Operator, n.Node)
		}
	case *ast.BinaryNode:
		return replaceBinary(n)
	}
	return node
}

// replaceMember lengthens the path that a.b leads on from, so that data.a.b is one call.
func replaceMember(n *ast.MemberNode) ast.Node {
	name, isName := n.Property.(*ast.StringNode)
	from, isCall := n.Node.(*ast.CallNode)
	if isName && isCall && len(from.Arguments) == 2 {
		if constant, isConstant := from.Arguments[1].(*ast.ConstantNode); isConstant {
			way := constant.Value.(*path)
			way.steps = append(way.steps, name.Value)
			return from
		}
	}
	return call(n.Location(), "member", n.Node, n.Property)
}

func orNil(node ast.Node) ast.Node {
	if node == nil {
		return &ast.NilNode{}
	}
	return node
}

func replaceCall(n *ast.CallNode) ast.Node {
	switch callee := n.Callee.(type) {
	case *ast.MemberNode:
		arguments := append([]ast.Node{callee.Node, callee.Property}, n.Arguments...)
		return call(n.Location(), "method", arguments...)
	case *ast.IdentifierNode:
		if callee.Value[0] != '$' { // else it is a call that rewrite made
			return call(n.Location(), callee.Value, n.Arguments...)
		}
	}
	return n
}

func replaceBinary(n *ast.BinaryNode) ast.Node {
	at := n.Location()
	switch n.Operator {
	case "&&", "and", "||", "or", "??":
		return n
	case "==", "!=":
		if isScalar(n.Left) || isScalar(n.Right) {
			return n // comparing with a short literal needs no care
		}
	case "matches":
		compiled, _ := newPattern(n.Right.(*ast.StringNode).Value) // inspect has tried it
		return call(at, "matches", n.Left, &ast.ConstantNode{Value: compiled})
	case "^":
		return call(at, "**", n.Left, n.Right)
	}
	return call(at, n.Operator, n.Left, n.Right)
}

func isScalar(node ast.Node) bool {
	switch node.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return true
	}
	return false
}

// call makes a call of one of our functions. Its first argument is the environment, a scope.
func call(at file.Location, name string, arguments ...ast.Node) ast.Node {
	environment := &ast.IdentifierNode{Value: "$env"}
	made := &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: "$" + name},
		Arguments: append([]ast.Node{environment}, arguments...),
	}
	made.SetLocation(at)
	return made
}
