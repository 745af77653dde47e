package rules

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm/runtime"
)

// Most conditions compare a few members with a few literals. For those, starting the VM and passing every value
// through its stack takes longer than the work itself, so the rewritten tree is turned into functions that call each
// other. What loops or has variables stays with the VM. Both call the same operations in the same order and pay the
// same steps; a test compares them.

// direct evaluates a node of a rewritten tree.
type direct func(e *Event) (any, error)

// newDirect returns nil for a tree that needs the VM.
func newDirect(node ast.Node) direct {
	known := operations()
	return directOf(node, known)
}

// operations lists what calls of a rewritten tree can call, by name.
func operations() map[string]operation {
	known := operators()
	for _, f := range functions() {
		known[f.name] = f.operation
	}
	return known
}

func directOf(node ast.Node, known map[string]operation) direct {
	if constant, isConstant := constantOf(node); isConstant {
		return func(*Event) (any, error) { return constant, nil }
	}
	switch n := node.(type) {
	case *ast.CallNode:
		return directCall(n, known)
	case *ast.BinaryNode:
		return directBinary(n, known)
	case *ast.UnaryNode:
		return directNot(n, known)
	case *ast.ConditionalNode:
		return directChoice(n, known)
	}
	return nil
}

// constantOf returns the value of a literal, lists of literals included. Nobody changes a list.
func constantOf(node ast.Node) (any, bool) {
	switch n := node.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.ConstantNode:
		return n.Value, true
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, element := range n.Nodes {
			var isConstant bool
			if list[i], isConstant = constantOf(element); !isConstant {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// directCall calls an operation with its arguments on the event's stack.
func directCall(n *ast.CallNode, known map[string]operation) direct {
	callee, isName := n.Callee.(*ast.IdentifierNode)
	if !isName || len(n.Arguments) == 0 {
		return nil
	}
	do, found := known[callee.Value[len("$"):]]
	if !found {
		return nil
	}
	at := n.Location()
	if way, isPath := constantPath(n); isPath {
		return func(e *Event) (any, error) {
			if err := e.spend(1); err != nil {
				return nil, faultOf(at, err)
			}
			found, err := way.express(e)
			return found, faultOf(at, err)
		}
	}
	arguments := make([]direct, 0, len(n.Arguments)-1)
	for _, argument := range n.Arguments[1:] { // the first is the environment
		next := directOf(argument, known)
		if next == nil {
			return nil
		}
		arguments = append(arguments, next)
	}
	return func(e *Event) (any, error) { return e.call(do, at, arguments) }
}

func constantPath(n *ast.CallNode) (*path, bool) {
	if n.Callee.(*ast.IdentifierNode).Value != "$path" {
		return nil, false
	}
	constant, isConstant := n.Arguments[1].(*ast.ConstantNode)
	if !isConstant {
		return nil, false
	}
	way, isPath := constant.Value.(*path)
	return way, isPath
}

// call evaluates the arguments, pays a step, as each call does, and calls the operation.
func (e *Event) call(do operation, at file.Location, arguments []direct) (any, error) {
	base := len(e.stack)
	for _, argument := range arguments {
		v, err := argument(e)
		if err != nil {
			return nil, err
		}
		e.stack = append(e.stack, v)
	}
	if err := e.spend(1); err != nil {
		return nil, faultOf(at, err)
	}
	e.at = at
	result, err := do(e, e.stack[base:])
	e.stack = e.stack[:base]
	return result, faultOf(at, err)
}

func faultOf(at file.Location, err error) error {
	if err == nil {
		return nil
	}
	return &file.Error{Location: at, Message: err.Error()}
}

func directBinary(n *ast.BinaryNode, known map[string]operation) direct {
	left, right := directOf(n.Left, known), directOf(n.Right, known)
	if left == nil || right == nil {
		return nil
	}
	switch n.Operator {
	case "&&", "and":
		return junction(left, right, false)
	case "||", "or":
		return junction(left, right, true)
	case "??":
		return func(e *Event) (any, error) {
			if v, err := left(e); err != nil || !runtime.IsNil(v) {
				return v, err
			}
			return right(e)
		}
	case "==":
		return equality(left, right, true)
	case "!=":
		return equality(left, right, false)
	}
	return nil
}

// junction asks the right side only where the left one does not decide. Rewrite made both sides booleans.
func junction(left, right direct, decisive bool) direct {
	return func(e *Event) (any, error) {
		if v, err := left(e); err != nil || v.(bool) == decisive {
			return v, err
		}
		return right(e)
	}
}

// equality is the comparison with a literal, which rewrite leaves to the VM.
func equality(left, right direct, want bool) direct {
	return func(e *Event) (any, error) {
		a, err := left(e)
		if err != nil {
			return nil, err
		}
		b, err := right(e)
		if err != nil {
			return nil, err
		}
		return runtime.Equal(a, b) == want, nil
	}
}

func directNot(n *ast.UnaryNode, known map[string]operation) direct {
	operand := directOf(n.Node, known)
	if operand == nil || n.Operator != "!" && n.Operator != "not" {
		return nil
	}
	return func(e *Event) (any, error) {
		v, err := operand(e)
		if err != nil {
			return nil, err
		}
		return !v.(bool), nil
	}
}

func directChoice(n *ast.ConditionalNode, known map[string]operation) direct {
	condition, yes, no := directOf(n.Cond, known), directOf(n.Exp1, known), directOf(n.Exp2, known)
	if condition == nil || yes == nil || no == nil {
		return nil
	}
	return func(e *Event) (any, error) {
		v, err := condition(e)
		if err != nil {
			return nil, err
		}
		if v.(bool) {
			return yes(e)
		}
		return no(e)
	}
}

// runDirect evaluates without the VM. As there, a panic is an error at the operation that was called last.
func (e *Event) runDirect(evaluate direct) (result any, err error) {
	e.stack, e.at = e.stack[:0], file.Location{}
	defer func() {
		if panicked := recover(); panicked != nil {
			result, err = nil, &file.Error{Location: e.at, Message: fmt.Sprint(panicked)}
		}
	}()
	return evaluate(e)
}
