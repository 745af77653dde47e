package manifest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/catalog/manifest"
)

func TestEveryProblemIsListedAtOnceWithItsPlace(t *testing.T) {
	got := problems(t, `kind: source
name: shop
endpoints:
  production:
    dedup_windwo: 1h
    max_bytes: lots
---
kind: trigger
name: "no spaces"
environment: production
event: Order Completed
workflow: w
status: asleep
condition: 7
---
kind: environment
name: staging
workflow_api:
  api_key: s3cret
  base_url: api.example.com
name: again
---
kind: sauce
`).Error()
	for _, want := range []string{
		`test.yaml:5:5: source shop: endpoints.production.dedup_windwo: unknown member "dedup_windwo"; did you mean dedup_window?`,
		"test.yaml:6:16: source shop: endpoints.production.max_bytes: must be a whole number from 0 to 990000",
		"test.yaml:9:7: trigger no spaces: name: ",
		"test.yaml:8:1: trigger no spaces: source: is missing",
		`test.yaml:13:9: trigger no spaces: status: "asleep" is none; use active or inactive`,
		"test.yaml:14:12: trigger no spaces: condition: must be text",
		"test.yaml:19:12: environment staging: workflow_api.api_key: a secret is given by reference",
		"test.yaml:20:13: environment staging: workflow_api.base_url: must be an http or https URL",
		"test.yaml:21:1: name: is there twice, first in line 17",
		`test.yaml:23:7: kind: "sauce" is none; give environment, source or trigger`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if count := strings.Count(got, "\n") + 1; count != 10 {
		t.Errorf("%d problems:\n%s", count, got)
	}
	if strings.Contains(got, "s3cret") {
		t.Error("a problem repeats what may be a secret")
	}
}

func TestKindAndOrderAreRefusedWithTheirPlaceAndWhatToDo(t *testing.T) {
	f := func(workflowAPI string, wants ...string) {
		t.Helper()
		got := problems(t, "kind: environment\nname: e\nworkflow_api: {"+workflowAPI+"}\n")
		if len(got) != len(wants) {
			t.Errorf("%s: %v", workflowAPI, got)
		}
		for _, want := range wants {
			if !strings.Contains(got.Error(), want) {
				t.Errorf("%s: no %q in %v", workflowAPI, want, got)
			}
		}
	}
	f("kind: grpc", `test.yaml:3:22: environment e: workflow_api.kind: "grpc" is none; use http or none`)
	f("order: 7", "workflow_api.order: must be text")
	f("order: random", `workflow_api.order: "random" is none; use relaxed or strict`)
	f("kind: none, base_url: 'https://a.example', api_key: 'env:A'",
		"test.yaml:3:38: environment e: workflow_api.base_url: is of no use with kind none, which calls nobody; leave it out, or set kind to http",
		"workflow_api.api_key: is of no use with kind none")
}

func TestWhatTwoDocumentsDefineIsRefused(t *testing.T) {
	const trigger = "kind: trigger\nname: t\nsource: s\nevent: e\nworkflow: w\n"
	got := problems(t, trigger+"environment: production\n---\n"+trigger+"environments: [development, production]\n")
	if len(got) != 1 || got[0].At.Line != 9 || !strings.Contains(got[0].Error(), "trigger production/t: name: is taken: another document defines it, at test.yaml:1:1") {
		t.Errorf("got %v", got)
	}
}

func TestBrokenYAMLIsRefusedWithItsLine(t *testing.T) {
	got := problems(t, "kind: source\nname: shop\n---\nkind: [\n")
	if len(got) != 1 || got[0].At.Line < 4 || !strings.Contains(got[0].Message, "not valid YAML") {
		t.Errorf("got %v", got)
	}
}

func TestAliasesThatGrowWithoutEndAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("kind: trigger\nname: t\nenvironment: e\nsource: s\nevent: e\nworkflow: w\nmapping:\n  tenant: &a0 {value: x}\n  data:\n")
	for _, level := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		before := string(level[0] - 1)
		b.WriteString("    k" + level + ": &a" + level + " {value: [" + strings.Repeat("*a"+before+", ", 9) + "*a" + before + "]}\n")
	}
	if got := problems(t, b.String()); !strings.Contains(got.Error(), "must not have more than") {
		t.Errorf("got %v", got)
	}
}

func TestJSONIsReadLikeYAML(t *testing.T) {
	m := read(t, `[
 {"kind": "source", "name": "shop", "description": "\ud83d\ude00"},
 {"kind": "trigger", "name": "t", "environments": ["a", "b"], "source": "shop", "event": "e", "workflow": "w",
  "mapping": {"tenant": {"value": 1.50}}}
]`)
	if len(m.Sources) != 1 || m.Sources[0].Description != "😀" || len(m.Triggers) != 2 || string(m.Triggers[1].Mapping.Tenant) != `{"value":1.50}` {
		t.Errorf("got %+v", m)
	}
	if at := m.Triggers[0].Origin.At("event"); at.Line != 3 || at.Column != 90 {
		t.Errorf("the event is at %v", at)
	}
	if got := problems(t, `{"kind": "source", "name": "shop", "name": "shop"}`); len(got) != 1 || got[0].Field != "name" {
		t.Errorf("got %v", got)
	}
}

func TestValuesOfAMappingBecomeTheJSONTheyLookLike(t *testing.T) {
	f := func(yaml, want string) {
		t.Helper()
		m := read(t, "kind: trigger\nname: t\nenvironment: e\nsource: s\nevent: e\nworkflow: w\nmapping:\n  tenant: {value: "+yaml+"}\n")
		if got := string(m.Triggers[0].Mapping.Tenant); got != `{"value":`+want+`}` {
			t.Errorf("%s: got %s", yaml, got)
		}
	}
	f("2026-01-02", `"2026-01-02"`)
	f("12345678901234567890123", "12345678901234567890123")
	f("0x10", "16")
	f("yes", `"yes"`)
	f("~", "null")
	f("<b>", `"<b>"`)
	f("{b: [1, 2.0], a: true}", `{"b":[1,2.0],"a":true}`)
}

func TestResourcesReadBackAsTheyWere(t *testing.T) {
	text, err := os.ReadFile("../../deploy/examples/catalog.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := read(t, string(text))
	documents, origins, err := m.Resources()
	if err != nil {
		t.Fatal(err)
	}
	again, err := manifest.ReadResources(documents)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := encode(t, again), encode(t, m); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(documents) != 5 || origins[2].At("condition").Line != 33 {
		t.Errorf("%d documents; the condition is at %v", len(documents), origins[2].At("condition"))
	}
	if !json.Valid(documents[0]) {
		t.Errorf("%s", documents[0])
	}
}
