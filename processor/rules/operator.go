package rules

import (
	"strings"

	"github.com/expr-lang/expr/vm/runtime"
)

// operation computes from its arguments and pays for its work. What it panics with becomes an error of the expression.
type operation func(e *Event, args []any) (any, error)

// forVM adapts the operation to the VM, which passes the scope as the first argument. Each call is a step.
func (do operation) forVM(args ...any) (any, error) {
	event := args[0].(scope).event
	if err := event.spend(1); err != nil {
		return nil, err
	}
	return do(event, args[1:])
}

// operators lists what rewrite puts in the place of expr's own operators, by name.
func operators() map[string]operation {
	return map[string]operation{
		"path":       followPath,
		"member":     readMember,
		"slice":      cut,
		"method":     callMethod,
		"elements":   elementsOfLoop,
		"bool":       asBool,
		"summand":    asSummand,
		"unary-":     negate,
		"unary+":     keep,
		"+":          calculation(add),
		"-":          calculation(withoutCost("-", runtime.Subtract)),
		"*":          calculation(withoutCost("*", runtime.Multiply)),
		"/":          calculation(withoutCost("/", runtime.Divide)),
		"%":          calculation(withoutCost("%", runtime.Modulo)),
		"**":         calculation(withoutCost("**", runtime.Exponent)),
		"..":         calculation(span),
		"<":          comparison("<", runtime.Less),
		"<=":         comparison("<=", runtime.LessOrEqual),
		">":          comparison(">", runtime.More),
		">=":         comparison(">=", runtime.MoreOrEqual),
		"==":         areEqual,
		"!=":         areDifferent,
		"in":         isIn,
		"contains":   textTest("contains", strings.Contains),
		"startsWith": textTest("startsWith", strings.HasPrefix),
		"endsWith":   textTest("endsWith", strings.HasSuffix),
		"matches":    match,
	}
}
