package rules

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

// TestWithAndWithoutTheVMIsTheSame generates expressions, evaluates each both ways on the same event, and expects the
// same value or error, and the same steps left.
func TestWithAndWithoutTheVMIsTheSame(t *testing.T) {
	meta := schemas.EventMeta{EventID: "e", Environment: "production", Event: "Order", MessageID: "m", ReceivedAt: time.UnixMilli(1_700_000_000_000).UTC()}
	body := []byte(`{"userId":"u-1","timestamp":"2026-11-20T08:00:00Z","properties":{"n":3,"f":2.5,"s":"text","t":true,"z":null,` +
		`"l":[1,"a",{"s":"x"}],"o":{"n":3,"o":{"s":"deep"}},"big":12345678901234567890}}`)
	ran, ranDirect := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		source := drawExpression(t, rapid.IntRange(0, 4).Draw(t, "depth"))
		compiled, err := compileExpression("x", source)
		if err != nil {
			return
		}
		ran++
		if compiled.direct == nil {
			return
		}
		ranDirect++
		steps := rapid.SampledFrom([]int{maxSteps, 3}).Draw(t, "steps")
		direct, viaVM := NewEvent(meta, body, "shop"), NewEvent(meta, body, "shop")
		direct.steps, viaVM.steps = steps, steps
		got, gotErr := compiled.run(direct)
		compiled.direct = nil
		want, wantErr := compiled.run(viaVM)
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || direct.steps != viaVM.steps || !reflect.DeepEqual(plainOf(got), plainOf(want)) {
			t.Fatalf("%s\ndirect: %v, %v, %d steps left\nVM:     %v, %v, %d steps left", source, got, gotErr, direct.steps, want, wantErr, viaVM.steps)
		}
	})
	if ranDirect < ran/2 || ran == 0 {
		t.Errorf("%d of %d expressions ran without the VM", ranDirect, ran)
	}
}

// plainOf makes values of two events comparable.
func plainOf(v any) any {
	if document, isDocument := v.(document); isDocument {
		return string(document.raw)
	}
	return v
}

func drawExpression(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom([]string{
			"data.n", "data.f", "data.s", "data.t", "data.z", "data.l", "data.o", "data.o.o.s", "data.big", "data.missing.x", "user_id", "event",
			"timestamp", "received_at", "raw", "data", "anonymous_id", "1", "2.5", "-3", `"text"`, `""`, "nil", "true", "false", `["text", 3]`, `[data.n]`, "[]",
		}).Draw(t, "leaf")
	}
	draw := func() string { return drawExpression(t, rapid.IntRange(0, depth-1).Draw(t, "depth")) }
	operator := rapid.SampledFrom([]string{
		"&&", "||", "and", "or", "??", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "**", "in", "not in", "contains", "startsWith", "endsWith", "..",
	})
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0:
		return "!(" + draw() + ")"
	case 1:
		return "-(" + draw() + ")"
	case 2:
		return fmt.Sprintf("(%s) ? (%s) : (%s)", draw(), draw(), draw())
	case 3:
		return fmt.Sprintf("%s(%s)", rapid.SampledFrom([]string{"len", "string", "int", "float", "upper", "type", "first", "date", "abs", "flatten", "round"}).Draw(t, "function"), draw())
	case 4:
		return fmt.Sprintf("(%s)[%s]", draw(), draw())
	case 5:
		return fmt.Sprintf("(%s).%s", draw(), rapid.SampledFrom([]string{"n", "s", "o", "Hour()", "x.y"}).Draw(t, "member"))
	case 6:
		return fmt.Sprintf("any(%s, # == %s)", draw(), draw())
	default:
		return fmt.Sprintf("(%s) %s (%s)", draw(), operator.Draw(t, "operator"), draw())
	}
}
