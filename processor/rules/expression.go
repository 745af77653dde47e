package rules

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression's source.
const (
	maxSource = 4 << 10 // bytes, of an expression or a path
	maxNodes  = 500     // of the syntax tree
	maxDepth  = 50      // of nodes inside one another; a chain such as a && b && c is one level
)

// expression is a compiled expr-lang expression.
type expression struct {
	source  string
	program *vm.Program
	direct  direct // nil where only the VM can run it
}

// compileCondition compiles an expression that must not obviously be anything but a boolean.
func compileCondition(source string) (*expression, error) {
	return compile("condition", source, true)
}

func compileExpression(field, source string) (*expression, error) {
	return compile(field, source, false)
}

// compile turns whatever goes wrong into a *CompileError.
func compile(field, source string, isCondition bool) (compiled *expression, err error) {
	defer func() {
		// The parser and the checker of expr are not written to survive every input.
		if panicked := recover(); panicked != nil {
			compiled, err = nil, &CompileError{Field: field, Message: "the expression cannot be compiled"}
		}
	}()
	if len(source) > maxSource {
		return nil, &CompileError{Field: field, Message: fmt.Sprintf("the expression has %d bytes, at most %d are allowed", len(source), maxSource)}
	}
	built, err := build(source, isCondition)
	if err != nil {
		return nil, compileErrorOf(field, source, err)
	}
	return built, nil
}

// build parses the source, refuses what is not allowed, checks types as the author wrote them, and compiles the
// guarded form of it.
func build(source string, isCondition bool) (*expression, error) {
	config := authorConfig()
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, err
	}
	if err := inspect(tree.Node); err != nil {
		return nil, err
	}
	kind, err := checker.Check(tree, config)
	if err != nil {
		return nil, err
	}
	if isCondition && kind.Kind() != reflect.Interface && kind.Kind() != reflect.Bool {
		return nil, faultAt(tree.Node, "the condition must be true or false; it is %s", describeAny(reflect.Zero(kind).Interface()))
	}
	rewrite(&tree.Node)
	guarded := guardedConfig()
	if _, err := checker.Check(tree, guarded); err != nil {
		return nil, err
	}
	program, err := compiler.Compile(tree, guarded)
	if err != nil {
		return nil, err
	}
	return &expression{source: source, program: program, direct: newDirect(tree.Node)}, nil
}

// authorConfig knows the functions by the names and types that authors use.
func authorConfig() *conf.Config {
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	config.Optimize = false
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	clear(config.Builtins)
	for _, f := range functions() {
		config.Functions[f.name] = &builtin.Function{Name: f.name, Types: f.types, Func: f.forVM}
	}
	return config
}

// guardedConfig knows the functions and operators by the names that rewrite gives them.
func guardedConfig() *conf.Config {
	config := conf.CreateNew()
	config.Optimize = false
	for _, f := range functions() {
		config.Functions["$"+f.name] = &builtin.Function{Name: "$" + f.name, Func: f.forVM}
	}
	for name, do := range operators() {
		config.Functions["$"+name] = &builtin.Function{Name: "$" + name, Func: do.forVM}
	}
	return config
}

// scope is the environment of a running expression. It is a struct around the pointer, because the VM takes pointers
// for something to follow.
type scope struct{ event *Event }

// run evaluates the expression. A panic of an operation is an error.
func (x *expression) run(event *Event) (result any, err error) {
	if x.direct != nil {
		result, err = event.runDirect(x.direct)
	} else {
		result, err = event.machine.Run(x.program, scope{event})
	}
	if err != nil {
		return nil, x.locate(err)
	}
	return result, nil
}

// locate says where in the source an error happened.
func (x *expression) locate(err error) error {
	var fault *file.Error
	if !errors.As(err, &fault) {
		return err
	}
	line, column := position(x.source, fault.From)
	return fmt.Errorf("%s (line %d, column %d)", fault.Message, line, column)
}
