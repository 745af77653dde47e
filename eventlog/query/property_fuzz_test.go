package query

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// FuzzCondition makes sure that nothing of a condition gets into SQL but by being bound, and that what is bound as an
// identifier names the column properties and what plain names can name below it.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"properties.total>100", "data.currency = EUR", `properties."unit price"."x".0[]!="a\"b"`, "properties.a.b exists", "properties.x missing",
		"properties.items[].sku=A", "properties.a=true", "properties.`a`=1", "properties.a'=1", "properties.größe<=-1e3", `properties."x.:\u0060Int64\u0060"=1`,
	} {
		f.Add(seed)
	}
	// What the constants of this package are made of, and places for what is bound.
	constant := regexp.MustCompile(`^[A-Za-z0-9_ ()=<>!,'{}:-]*$`)
	identifier := regexp.MustCompile("^properties(\\.(\\^`)?[\\p{L}\\p{Nd}_$-]+`?|\\.`[\\p{L}\\p{Nd}_$-]+`)+(\\.:`(String|Bool|Float64|Int64|UInt64)`)?$")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCondition(text)
		if err != nil {
			return
		}
		asks := &asks{prefix: "property"}
		sql := asks.condition(c)
		if !constant.MatchString(sql) {
			t.Fatalf("%q: %s", text, sql)
		}
		for _, arg := range asks.args {
			named, isNamed := arg.(driver.NamedValue)
			if !isNamed || !strings.Contains(sql, "{"+named.Name+":") {
				t.Fatalf("%q: %v is not bound in %s", text, arg, sql)
			}
			if name, isText := named.Value.(string); strings.Contains(sql, "{"+named.Name+":Identifier}") && (!isText || !identifier.MatchString(name)) {
				t.Fatalf("%q: the identifier %q", text, named.Value)
			}
		}
	})
}
