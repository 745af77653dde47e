package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

func TestReferencesOfACondition(t *testing.T) {
	f := func(condition string, want ...string) {
		t.Helper()
		var got []string
		for _, r := range rules.References(schemas.Trigger{Condition: condition, Mapping: schemas.Mapping{Recipients: json.RawMessage(`{"value":"u"}`)}}) {
			if r.Field != "condition" {
				t.Errorf("%s: reference in %s", condition, r.Field)
			}
			got = append(got, fmt.Sprintf("%d:%d %s", r.Line, r.Column, r.Path))
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s:\n got %q\nwant %q", condition, got, want)
		}
	}
	f(``)
	f(`true`)
	f(`data.total > 100 && data.currency == "EUR"`, "1:1 data.total", "1:21 data.currency")
	f("user_id != nil ||\n  properties.owner.id == userId", "1:1 user_id", "2:3 data.owner.id", "2:26 user_id")
	f(`data?.owner?.id == "x"`, "1:1 data.owner.id")
	f(`data["a.b"]["c\\d"] == 1`, `1:1 data.a\.b.c\\d`)
	f(`data.items[0].sku == "A" && data.items[-1].sku == "B"`, "1:1 data.items.0.sku", "1:29 data.items.0.sku")
	f(`any(data.items, .price > 1 && #.sku == data.sku)`, "1:5 data.items", "1:17 data.items.0.price", "1:31 data.items.0.sku", "1:40 data.sku")
	f(`any(data.orders, any(.lines, .sku == "A"))`, "1:5 data.orders", "1:22 data.orders.0.lines", "1:30 data.orders.0.lines.0.sku")
	f(`filter(data.items, .price > 1)[0].sku == "A"`, "1:1 data.items.0.sku", "1:8 data.items", "1:20 data.items.0.price")
	f(`find(data.items, .price > 1)?.sku == "A"`, "1:1 data.items.0.sku", "1:6 data.items", "1:18 data.items.0.price")
	f(`let owner = data.owner; owner.id == "x"`, "1:13 data.owner", "1:25 data.owner.id")
	f(`let n = len(data.items); n > 1`, "1:13 data.items")
	f(`data[user_id].name == "x"`, "1:1 data", "1:6 user_id")
	f(`timestamp.Year() == 2026 && lower(context.locale) == "de"`, "1:1 timestamp", "1:35 context.locale")
	f(`"ö" == data.größe`, "1:8 data.größe")
	f(`sum(map(data.items, .price * .quantity)) > 1`, "1:9 data.items", "1:21 data.items.0.price", "1:30 data.items.0.quantity")
	f(`data.total >`) // does not compile
	f(`nowhere.id == 1`)
	f(strings.Repeat("x", 5000))
}

func TestReferencesOfAMapping(t *testing.T) {
	f := func(mapping string, want ...string) {
		t.Helper()
		var m schemas.Mapping
		if err := json.Unmarshal([]byte(mapping), &m); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rules.References(schemas.Trigger{Mapping: m}) {
			got = append(got, fmt.Sprintf("%s %d:%d %s", r.Field, r.Line, r.Column, r.Path))
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s:\n got %q\nwant %q", mapping, got, want)
		}
	}
	f(`{}`, "mapping.recipients 0:0 user_id")
	f(`{"recipients":"properties.owner","actor":{"expr":"data.by ?? user_id"},"tenant":{"value":"acme"},"cancellation_key":"data.a\\.b",
		"data":{"z":"context.ip","a":{"expr":"{\"x\": data.x}"}}}`,
		"mapping.recipients 1:1 data.owner", "mapping.actor 1:1 data.by", "mapping.actor 1:12 user_id", `mapping.cancellation_key 1:1 data.a\.b`,
		"mapping.data.a 1:7 data.x", "mapping.data.z 1:1 context.ip")
	f(`{"recipients":"dta.x","actor":7,"data":{"x":null}}`)
}
