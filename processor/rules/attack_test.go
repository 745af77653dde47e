package rules_test

import (
	"fmt"
	"strings"
)

// attack is an expression that is meant to take the process's memory or time, and what it is refused with.
type attack struct{ source, want string }

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

// refusedAttacks are conditions that do not compile.
func refusedAttacks() []attack {
	return []attack{
		{strings.Repeat("(", 100_000) + "true" + strings.Repeat(")", 100_000), `at most 4096 are allowed`},
		{strings.Repeat("(", 4096), ``},
		{strings.Repeat("!", 4095) + "x", ``},
		{strings.Repeat("[", 60) + strings.Repeat("]", 60) + " == nil", `nested more than 50 levels deep`},
		{strings.Repeat("!", 60) + "data.x", `nested more than 50 levels deep`},
		{"0" + strings.Repeat("+1", 400) + " > 1", `exceeds maximum allowed nodes`},
		{`len(reduce(1..40, #acc + #acc, "aaaaaaaaaa")) > 1`, `unknown function "reduce"`},
		{`len(replace(data.s, "a", data.s)) > 1`, `unknown function "replace"`},
		{`len(join(map(1..30000, data.s))) > 1`, `unknown function "join"`},
		{`len(repeat("a", 1000000000)) > 1`, `unknown function "repeat"`},
		{`len(split(data.s, "")) > 1`, `unknown function "split"`},
		{`len(groupBy(1..500000, #)) > 1`, `unknown function "groupBy"`},
		{`len(sortBy(1..500000, #)) > 1`, `unknown function "sortBy"`},
		{`len(sort(data.xs)) > 1`, `unknown function "sort"`},
		{`len(uniq(data.xs)) > 1`, `unknown function "uniq"`},
		{`toJSON(data) != ""`, `unknown function "toJSON"`},
		{`now() > timestamp`, `unknown function "now"`},
		{`keys(data)[0] == "s"`, `unknown function "keys"`},
		{`data.s matches "(a{1000}){1000}"`, `invalid repeat count`},
		{`data.s matches "` + strings.Repeat("[ab]{1000}", 20) + `"`, `repeats too much`},
		{`data.s matches "` + strings.Repeat("a", 300) + `"`, `at most 256 are allowed`},
		{doubled(30, func(x string) string { return "(1 < " + x + " < 2 ? 1 : 2)" }, "data.x"), ``},
		{doubled(30, func(x string) string { return "(" + x + " ?: 1)" }, "data.x") + " == 1", ``},
		{`"` + strings.Repeat("a", 200_000) + `" == data.s`, `at most 4096 are allowed`},
		{`data.s matches data.s`, ``},
		{chainOfLets(100), ``},
	}
}

// boundedAttacks compile, and are stopped as soon as their work is used up.
func boundedAttacks() []attack {
	const work = "too much work for one event"
	return []attack{
		{`map(1..1000000, #)`, `the range has more than 1000 numbers`},
		{`1..10000000`, `the range has more than 1000 numbers`},
		{`-9223372036854775807..9223372036854775807`, `the range has more than 1000 numbers`},
		{`let x = data.s; let y = x + x; y`, `the text gets longer than 65536 bytes`},
		{`let a = data.s[:40000]; a + a`, `the text gets longer than 65536 bytes`},
		{`map(1..1000, map(1..1000, #))`, work},
		{`let r = 1..1000; all(r, all(r, all(r, # > 0)))`, work},
		{`let x = data.xs; all(x, all(x, all(x, true)))`, work},
		{`all(data.xs, sum(data.xs) > 0)`, work},
		{`all(data.xs, 7 not in data.xs)`, work},
		{`all(data.xs, data.deep == data.deep)`, work},
		{`all(data.xs, len(flatten(data.deep)) > 0)`, work},
		{`all(data.xs, max(data.xs) > 0)`, work},
		{`all(data.xs, len(concat(data.xs, data.xs)) > 0)`, work},
		{`all(data.xs, data.s matches "(a|b)*c")`, work},
		{`data.s matches "(x+x+)+y(a|aa)+$"`, work},
		{`all(data.xs, not (data.s contains "ab"))`, work},
		{`all(data.xs, upper(data.s) != "")`, work},
		{`all(data.xs, data.s[1:] != "")`, work},
		{`all(data.xs, data.s[:60000] + "" != "")`, work},
		{`all(data.xs, ` + strings.TrimSuffix(strings.Repeat("# - ", 200), " - ") + ` < 0)`, work},
		{`map(1..900, filter(data.xs, true))`, work},
		{chainOfLets(40), `the text gets longer than 65536 bytes`},
	}
}

// chainOfLets doubles a text again and again.
func chainOfLets(links int) string {
	source := `let x0 = "aaaaaaaaaa"; `
	for i := range links {
		source += fmt.Sprintf("let x%d = x%d + x%d; ", i+1, i, i)
	}
	return source + fmt.Sprintf("x%d", links)
}

// unfoldingAttacks make values that share their parts, and unfold to far more than they hold.
func unfoldingAttacks() []attack {
	sharing := ""
	for level, name := 0, "data.o"; level < 12; level++ {
		next := fmt.Sprintf("v%d", level)
		sharing += "let " + next + " = [" + strings.TrimSuffix(strings.Repeat(name+",", 10), ",") + "]; "
		name = next
	}
	return []attack{
		{sharing + `v11`, `it has more than 262144 bytes of JSON`},
		{sharing + `v11 == v11`, `too much work`},
		{sharing + `v11 in v11`, `too much work`},
		{sharing + `flatten(v11)`, `too much work`},
		{sharing + `max(v11)`, `too much work`},
		{sharing + `map(1..1000, data.o)`, `it has more than 262144 bytes of JSON`},
	}
}
