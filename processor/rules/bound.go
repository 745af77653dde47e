package rules

import "github.com/millrace/millrace/schemas"

// Bound is a trigger with its compiled rule, or with the reason why there is none. Goroutines can share it.
type Bound struct {
	*schemas.Trigger
	Invalid error // why it cannot be compiled

	rule  *Trigger
	entry schemas.TriggerDecision // without an outcome
}

// Bind compiles a trigger, to be asked by drafts.
func Bind(trigger schemas.Trigger) *Bound {
	rule, err := Compile(trigger)
	return &Bound{
		Trigger: &trigger, Invalid: err, rule: rule,
		entry: schemas.NewTriggerDecision(trigger.ID, trigger.Revision, trigger.Workflow),
	}
}

// Condition is a compiled condition without a trigger. It does not change, so that goroutines can share it.
type Condition struct{ expression *expression }

// CompileCondition checks and compiles a condition, which must not be empty. What it reports is a *CompileError.
func CompileCondition(text string) (*Condition, error) {
	compiled, err := compileCondition(text)
	if err != nil {
		return nil, err
	}
	return &Condition{compiled}, nil
}

func (c *Condition) holds(event *Event) (bool, error) {
	event.steps = maxSteps
	answer, err := c.expression.run(event)
	if err != nil {
		return false, err
	}
	return truth(answer)
}
