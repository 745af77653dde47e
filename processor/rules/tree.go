package rules

import "github.com/expr-lang/expr/ast"

// children returns the slots of a node's children in the order of evaluation, and false for a kind of node that is
// not allowed. A method's receiver is a child of the call, a predicate's body one of the builtin.
func children(node ast.Node) ([]*ast.Node, bool) {
	switch n := node.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.ConstantNode,
		*ast.IdentifierNode, *ast.PointerNode:
		return nil, true
	case *ast.UnaryNode:
		return []*ast.Node{&n.Node}, true
	case *ast.BinaryNode:
		return []*ast.Node{&n.Left, &n.Right}, true
	case *ast.ChainNode:
		return []*ast.Node{&n.Node}, true
	case *ast.MemberNode:
		return []*ast.Node{&n.Node, &n.Property}, true
	case *ast.SliceNode:
		return present(&n.Node, &n.From, &n.To), true
	case *ast.ConditionalNode:
		return []*ast.Node{&n.Cond, &n.Exp1, &n.Exp2}, true
	case *ast.VariableDeclaratorNode:
		return []*ast.Node{&n.Value, &n.Expr}, true
	case *ast.SequenceNode:
		return slots(n.Nodes), true
	case *ast.ArrayNode:
		return slots(n.Nodes), true
	case *ast.MapNode:
		return slots(n.Pairs), true
	case *ast.PairNode:
		return []*ast.Node{&n.Key, &n.Value}, true
	case *ast.PredicateNode:
		return []*ast.Node{&n.Node}, true
	case *ast.BuiltinNode:
		return slots(n.Arguments), true
	case *ast.CallNode:
		if method, isMethod := n.Callee.(*ast.MemberNode); isMethod {
			return append(slots(n.Arguments), &method.Node), true
		}
		return slots(n.Arguments), true
	}
	return nil, false
}

func slots(nodes []ast.Node) []*ast.Node {
	all := make([]*ast.Node, len(nodes))
	for i := range nodes {
		all[i] = &nodes[i]
	}
	return all
}

// present leaves out the slots that hold nothing.
func present(all ...*ast.Node) []*ast.Node {
	var filled []*ast.Node
	for _, slot := range all {
		if *slot != nil {
			filled = append(filled, slot)
		}
	}
	return filled
}

// count returns how many nodes the tree has.
func count(node ast.Node) int {
	nodes := 1
	below, _ := children(node)
	for _, child := range below {
		nodes += count(*child)
	}
	return nodes
}
