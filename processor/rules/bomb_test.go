package rules_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// The expressions are refused when they are compiled, so that none of them ever runs.
func TestBombIsRefused(t *testing.T) {
	for _, a := range refusedAttacks() {
		_, err := rules.Compile(withCondition(a.source))
		var refused *rules.CompileError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, a.want) {
			t.Errorf("%.80s: got %v, want it refused: %s", a.source, err, a.want)
		}
	}
}

// The expressions stop as soon as their work is used up.
func TestBombIsBounded(t *testing.T) {
	body := bombBody()
	for _, a := range boundedAttacks() {
		for _, trigger := range []schemas.Trigger{withCondition(`type((` + a.source + `)) == "?"`), withData(t, a.source)} {
			result := compiled(t, trigger).Evaluate(eventOf(body))
			if result.Outcome != schemas.ConditionError && result.Outcome != schemas.MappingError || !strings.Contains(result.Reason, a.want) {
				t.Errorf("%.80s: got %s %q, want it stopped: %s", a.source, result.Outcome, result.Reason, a.want)
			}
		}
	}
}

// Values that share their parts unfold to far more than they hold.
func TestUnfoldingIsBounded(t *testing.T) {
	for _, a := range unfoldingAttacks() {
		result := compiled(t, withData(t, a.source)).Evaluate(eventOf(bombBody()))
		if result.Outcome != schemas.MappingError || !strings.Contains(result.Reason, a.want) {
			t.Errorf("%s: got %s %q, want %s", a.source, result.Outcome, result.Reason, a.want)
		}
	}
}

func TestWorkIsSharedByTheWholeTrigger(t *testing.T) {
	mapping := schemas.Mapping{Data: map[string]json.RawMessage{}}
	for i := range 150 {
		mapping.Data[fmt.Sprintf("k%d", i)] = encoded(t, map[string]string{"expr": `sum(map(1..1000, #))`})
	}
	got := compiled(t, schemas.Trigger{Mapping: mapping}).Evaluate(commentEvent())
	if got.Outcome != schemas.MappingError || !strings.Contains(got.Reason, "too much work") {
		t.Errorf("got %s %q", got.Outcome, got.Reason)
	}
	for i := range 150 {
		mapping.Data[fmt.Sprintf("l%d", i)] = encoded(t, "data")
	}
	if _, err := rules.Compile(schemas.Trigger{Mapping: mapping}); err == nil || !strings.Contains(err.Error(), "at most 200 are allowed") {
		t.Errorf("300 keys: got %v", err)
	}
}
