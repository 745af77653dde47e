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

// bombBody holds what an attacker would like to work on: a long text, a long list and a list of long lists.
func bombBody() string {
	ones := strings.TrimSuffix(strings.Repeat("1,", 15_000), ",")
	return fmt.Sprintf(`{"userId":"u","properties":{"s":%q,"xs":[%s],"deep":[[%s],[%s]],"o":{"a":[%s]}}}`,
		strings.Repeat("a", 100_000), ones, ones, ones, ones)
}

// doubled nests a source in itself: each level holds the one below at two places.
func doubled(levels int, once func(inner string) string, innermost string) string {
	source := innermost
	for range levels {
		source = once(source)
	}
	return source
}

// The expressions are refused when they are compiled, so that none of them ever runs.
func TestBombIsRefused(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		_, err := rules.Compile(withCondition(condition))
		var refused *rules.CompileError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, want) {
			t.Errorf("%.80s: got %v, want it refused: %s", condition, err, want)
		}
	}
	f(strings.Repeat("(", 100_000)+"true"+strings.Repeat(")", 100_000), `at most 4096 are allowed`)
	f(strings.Repeat("(", 4096), ``)
	f(strings.Repeat("!", 4095)+"x", ``)
	f(strings.Repeat("[", 60)+strings.Repeat("]", 60)+" == nil", `nested more than 50 levels deep`)
	f(strings.Repeat("!", 60)+"data.x", `nested more than 50 levels deep`)
	f("0"+strings.Repeat("+1", 400)+" > 1", `exceeds maximum allowed nodes`)
	f(`len(reduce(1..40, #acc + #acc, "aaaaaaaaaa")) > 1`, `unknown function "reduce"`)
	f(`len(replace(data.s, "a", data.s)) > 1`, `unknown function "replace"`)
	f(`len(join(map(1..30000, data.s))) > 1`, `unknown function "join"`)
	f(`len(repeat("a", 1000000000)) > 1`, `unknown function "repeat"`)
	f(`len(split(data.s, "")) > 1`, `unknown function "split"`)
	f(`len(groupBy(1..500000, #)) > 1`, `unknown function "groupBy"`)
	f(`len(sortBy(1..500000, #)) > 1`, `unknown function "sortBy"`)
	f(`len(sort(data.xs)) > 1`, `unknown function "sort"`)
	f(`len(uniq(data.xs)) > 1`, `unknown function "uniq"`)
	f(`toJSON(data) != ""`, `unknown function "toJSON"`)
	f(`now() > timestamp`, `unknown function "now"`)
	f(`keys(data)[0] == "s"`, `unknown function "keys"`)
	f(`data.s matches "(a{1000}){1000}"`, `invalid repeat count`)
	f(`data.s matches "`+strings.Repeat("[ab]{1000}", 20)+`"`, `repeats too much`)
	f(`data.s matches "`+strings.Repeat("a", 300)+`"`, `at most 256 are allowed`)
	f(doubled(30, func(x string) string { return "(1 < " + x + " < 2 ? 1 : 2)" }, "data.x"), ``)
	f(doubled(30, func(x string) string { return "(" + x + " ?: 1)" }, "data.x")+" == 1", ``)
}

// The expressions stop as soon as their work is used up.
func TestBombIsBounded(t *testing.T) {
	body := bombBody()
	f := func(source, want string) {
		t.Helper()
		for _, trigger := range []schemas.Trigger{withCondition(`type((` + source + `)) == "?"`), withData(t, source)} {
			result := compiled(t, trigger).Evaluate(eventOf(body))
			if result.Outcome != schemas.ConditionError && result.Outcome != schemas.MappingError || !strings.Contains(result.Reason, want) {
				t.Errorf("%.80s: got %s %q, want it stopped: %s", source, result.Outcome, result.Reason, want)
			}
		}
	}
	const work = "too much work for one event"
	f(`1..10000000`, `the range has more than 1000 numbers`)
	f(`-9223372036854775807..9223372036854775807`, `the range has more than 1000 numbers`)
	f(`let x = data.s; let y = x + x; y`, `the text gets longer than 65536 bytes`)
	f(`let a = data.s[:40000]; a + a`, `the text gets longer than 65536 bytes`)
	f(`map(1..1000, map(1..1000, #))`, work)
	f(`let r = 1..1000; all(r, all(r, all(r, # > 0)))`, work)
	f(`let x = data.xs; all(x, all(x, all(x, true)))`, work)
	f(`all(data.xs, sum(data.xs) > 0)`, work)
	f(`all(data.xs, 7 not in data.xs)`, work)
	f(`all(data.xs, data.deep == data.deep)`, work)
	f(`all(data.xs, len(flatten(data.deep)) > 0)`, work)
	f(`all(data.xs, max(data.xs) > 0)`, work)
	f(`all(data.xs, len(concat(data.xs, data.xs)) > 0)`, work)
	f(`all(data.xs, data.s matches "(a|b)*c")`, work)
	f(`data.s matches "(x+x+)+y(a|aa)+$"`, work)
	f(`all(data.xs, not (data.s contains "ab"))`, work)
	f(`all(data.xs, upper(data.s) != "")`, work)
	f(`all(data.xs, data.s[1:] != "")`, work)
	f(`all(data.xs, data.s[:60000] + "" != "")`, work)
	f(`all(data.xs, `+strings.TrimSuffix(strings.Repeat("# - ", 200), " - ")+` < 0)`, work)
	f(`map(1..900, filter(data.xs, true))`, work)
}

// Values that share their parts unfold to far more than they hold.
func TestUnfoldingIsBounded(t *testing.T) {
	sharing := ""
	for level, name := 0, "data.o"; level < 12; level++ {
		next := fmt.Sprintf("v%d", level)
		sharing += "let " + next + " = [" + strings.TrimSuffix(strings.Repeat(name+",", 10), ",") + "]; "
		name = next
	}
	f := func(source, want string) {
		t.Helper()
		result := compiled(t, withData(t, sharing+source)).Evaluate(eventOf(bombBody()))
		if result.Outcome != schemas.MappingError || !strings.Contains(result.Reason, want) {
			t.Errorf("%s: got %s %q, want %s", source, result.Outcome, result.Reason, want)
		}
	}
	f(`v11`, `it has more than 262144 bytes of JSON`)
	f(`v11 == v11`, `too much work`)
	f(`v11 in v11`, `too much work`)
	f(`flatten(v11)`, `too much work`)
	f(`max(v11)`, `too much work`)
	f(`map(1..1000, data.o)`, `it has more than 262144 bytes of JSON`)
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
