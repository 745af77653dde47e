package manifest_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/millrace/millrace/schemas"
	"gopkg.in/yaml.v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Manifest()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("manifest.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// validate checks each document of a YAML text.
func validate(t *testing.T, schema *jsonschema.Schema, text []byte) (problems []error) {
	t.Helper()
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document any
		if err := decoder.Decode(&document); err != nil {
			return problems
		}
		encoded, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			problems = append(problems, err)
		}
	}
}

func TestEveryExampleIsValid(t *testing.T) {
	schema := compileSchema(t)
	examples, err := filepath.Glob("../../deploy/examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range validate(t, schema, text) {
			t.Errorf("%s: %v", path, problem)
		}
		read(t, string(text))
	}
}

// full has every member that a document can have, in every object.
const full = `kind: environment
name: e
description: d
workflow_api: {kind: http, base_url: "https://a.example", api_key: "env:A", concurrency: 1, rate_limit: 1.5, order: strict}
---
kind: source
name: s
description: d
disabled: true
endpoints:
  e: {dedup_window: 1h30m, disabled: true, max_bytes: 1, signature: {scheme: segment, secret: "file:/a"}}
---
kind: trigger
name: t
environment: e
source: s
event: E
workflow: w
condition: "true"
mapping: {recipients: user_id, actor: user_id, tenant: {value: 1}, cancellation_key: {expr: "1"}, data: {k: data.k}}
status: inactive
description: d
---
kind: trigger
name: t2
environments: [e, f]
source: s
event: E
workflow: w
`

// TestSchemaAndReaderKnowTheSameMembers compares both ways: what the schema lists stands in full, which the reader
// takes, and the reader's own list, which it gives with an unknown member, is the schema's.
func TestSchemaAndReaderKnowTheSameMembers(t *testing.T) {
	for _, problem := range validate(t, compileSchema(t), []byte(full)) {
		t.Error(problem)
	}
	read(t, full)
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(schemas.Manifest(), &schema); err != nil {
		t.Fatal(err)
	}
	f := func(document string, members []string) {
		t.Helper()
		found := problems(t, document)
		_, listed, _ := strings.Cut(found[len(found)-1].Message, "known are ")
		slices.Sort(members)
		known := strings.Split(listed, ", ")
		slices.Sort(known)
		if !slices.Equal(known, members) {
			t.Errorf("the reader knows %v, the schema %v", known, members)
		}
		for _, member := range members {
			if !strings.Contains(full, member+": ") && !strings.Contains(full, member+":\n") {
				t.Errorf("%s does not stand in the full document", member)
			}
		}
	}
	const unknown = "unheard_of_member: 1"
	for _, kind := range []string{"environment", "source", "trigger"} {
		f("kind: "+kind+"\nname: n\n"+unknown, slices.Collect(maps.Keys(schema.Defs[kind].Properties)))
	}
	f("kind: environment\nname: n\nworkflow_api: {"+unknown+"}", slices.Collect(maps.Keys(schema.Defs["environment"].Properties["workflow_api"].Properties)))
	f("kind: source\nname: n\nendpoints: {e: {"+unknown+"}}", slices.Collect(maps.Keys(schema.Defs["endpoint"].Properties)))
	f("kind: source\nname: n\nendpoints: {e: {signature: {scheme: segment, secret: \"env:A\", "+unknown+"}}}", slices.Collect(maps.Keys(schema.Defs["endpoint"].Properties["signature"].Properties)))
	f("kind: trigger\nname: n\nenvironment: e\nsource: s\nevent: e\nworkflow: w\nmapping: {"+unknown+"}", slices.Collect(maps.Keys(schema.Defs["mapping"].Properties)))
}

func TestSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	schema := compileSchema(t)
	for _, document := range []string{
		"kind: sauce\nname: s", "name: s", "kind: source", "kind: source\nname: a b", "kind: source\nname: s\nendpoints: {e: {dedup_window: never}}",
		"kind: source\nname: s\nendpoints: {e: {max_bytes: -1}}", "kind: source\nname: s\nendpoints: {e: {signature: {scheme: segment}}}",
		"kind: environment\nname: e\nworkflow_api: {api_key: secret}", "kind: environment\nname: e\nworkflow_api: {base_url: example.com}",
		"kind: environment\nname: e\nworkflow_api: {kind: grpc}", "kind: environment\nname: e\nworkflow_api: {order: random}",
		"kind: environment\nname: e\nworkflow_api: {kind: none, base_url: 'https://a.example'}", "kind: environment\nname: e\nworkflow_api: {kind: none, api_key: 'env:A'}",
		"kind: trigger\nname: t\nsource: s\nevent: e\nworkflow: w", "kind: trigger\nname: t\nenvironment: e\nenvironments: [e]\nsource: s\nevent: e\nworkflow: w",
		"kind: trigger\nname: t\nenvironment: e\nsource: s\nevent: ''\nworkflow: w", "kind: trigger\nname: t\nenvironments: []\nsource: s\nevent: e\nworkflow: w",
		"kind: source\nname: s\ndisabled: 'no'", "kind: source\nname: s\ndescription:",
	} {
		if len(validate(t, schema, []byte(document))) == 0 {
			t.Errorf("the schema takes\n%s", document)
		}
		problems(t, document)
	}
}
