package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/catalog/manifest"
	"github.com/millrace/millrace/schemas"
)

const shop = `kind: source
name: shop
endpoints:
  production: {dedup_window: 1h}
---
kind: trigger
name: big-order
environments: [development, production]
source: shop
event: Order Completed
workflow: big-order
condition: data.total > 100
mapping:
  data: {order: data.order_id}
`

// summary writes a plan in short.
func summary(plan manifest.Plan) string {
	var lines []string
	for _, change := range plan.Changes {
		var fields []string
		for _, f := range change.Fields {
			fields = append(fields, fmt.Sprintf("%s %s -> %s", f.Field, f.Before, f.After))
		}
		name := strings.TrimPrefix(change.Environment+"/"+change.Name, "/")
		lines = append(lines, fmt.Sprintf("%s %s %s [%s]", change.Action, change.Kind, name, strings.Join(fields, "; ")))
	}
	return strings.Join(lines, "\n")
}

func TestPlanSaysWhatIsCreatedUpdatedAndDeleted(t *testing.T) {
	s := newStore(t)
	created := s.mustApply(shop, false)
	if got := summary(created); created.Count(manifest.Create) != 3 || !strings.HasPrefix(got, `create source shop [endpoints.development.dedup_window  -> "24h"; endpoints.production.dedup_window  -> "1h"]`) {
		t.Errorf("got %s", got)
	}
	for _, change := range created.Changes {
		if change.ID == "" {
			t.Errorf("%s has no ID", change.Name)
		}
	}
	source, _ := s.reader.Snapshot().Source("shop")
	key := source.Endpoints["production"].KeyHash

	changed := strings.NewReplacer("1h", "off", "> 100", "> 200", "order: data.order_id", "id: data.order_id", "environments: [development, production]", "environment: production").Replace(shop)
	got := summary(s.mustApply(changed, true))
	want := `update source shop [endpoints.production.dedup_window "1h" -> "off"]
update trigger production/big-order [condition "data.total > 100" -> "data.total > 200"; mapping.data.id  -> "data.order_id"; mapping.data.order "data.order_id" -> ]
delete trigger development/big-order [`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if source, _ = s.reader.Snapshot().Source("shop"); source.Endpoints["production"].KeyHash != key || source.Revision != 2 {
		t.Errorf("the endpoint's key or the revision: %+v", source)
	}

	got = summary(s.mustApply("kind: source\nname: other\n", true))
	if !strings.Contains(got, "create source other") || !strings.Contains(got, "delete trigger production/big-order") || !strings.HasSuffix(got[:strings.LastIndex(got, " [")], "delete source shop") {
		t.Errorf("got %s", got)
	}
	if environments := s.reader.Snapshot().Environments(); len(environments) != 2 {
		t.Errorf("environments were pruned: %v", environments)
	}
}

func TestKindAndOrderArePlannedAndTheirDefaultsAreNoChange(t *testing.T) {
	s := newStore(t)
	f := func(workflowAPI, want string) {
		t.Helper()
		if got := summary(s.mustApply("kind: environment\nname: production\nworkflow_api: {"+workflowAPI+"}\n", false)); got != want {
			t.Errorf("%s: got %s, want %s", workflowAPI, got, want)
		}
	}
	f("kind: http, order: relaxed", "")
	f("order: strict", `update environment production [workflow_api.order  -> "strict"]`)
	f("kind: none, order: strict", `update environment production [workflow_api.kind  -> "none"]`)
	exported := encode(t, manifest.Export(s.reader.Snapshot()))
	if !strings.Contains(exported, "  kind: none\n") || !strings.Contains(exported, "  order: strict\n") || strings.Contains(exported, "http") {
		t.Error(exported)
	}
	f("kind: http, base_url: 'https://a.example'", `update environment production [workflow_api.base_url  -> "https://a.example"; workflow_api.kind "none" -> ; workflow_api.order "strict" -> ]`)
}

func TestNothingIsDeletedWithoutPrune(t *testing.T) {
	s := newStore(t)
	s.mustApply(shop, false)
	if plan := s.mustApply("kind: source\nname: other\n", false); len(plan.Changes) != 1 || len(s.reader.Snapshot().Triggers()) != 2 {
		t.Errorf("got %s", summary(plan))
	}
}

func TestApplyingTwiceChangesNothing(t *testing.T) {
	s := newStore(t)
	s.mustApply(shop, true)
	before := fmt.Sprintf("%+v", s.reader.Snapshot().Sources())
	if plan := s.mustApply(shop, true); len(plan.Changes) != 0 || plan.Unchanged != 3 {
		t.Errorf("got %s, %d unchanged", summary(plan), plan.Unchanged)
	}
	if after := fmt.Sprintf("%+v", s.reader.Snapshot().Sources()); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
}

func TestAllOrNothingIsApplied(t *testing.T) {
	s := newStore(t)
	for name, text := range map[string]string{
		"unknown environment":    shop + "---\nkind: environment\nname: staging\n---\nkind: trigger\nname: t\nenvironment: stagign\nsource: shop\nevent: e\nworkflow: w\n",
		"refused by the catalog": shop + "---\nkind: source\nname: src_x\n",
	} {
		_, err := s.apply(read(t, text), false)
		if found := problemsIn(t, err); len(found) != 1 || found[0].At.Line < 16 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if snapshot := s.reader.Snapshot(); len(snapshot.Sources()) != 0 || len(snapshot.Environments()) != 2 {
		t.Error("something was applied")
	}
}

func TestReferencesToNothingAreRefusedTogetherWithAHint(t *testing.T) {
	s := newStore(t)
	s.mustApply(shop, false)
	_, err := s.apply(read(t, strings.NewReplacer("source: shop", "source: shpo", "development", "devlopment", "production", "prod").Replace(shop)), false)
	for _, want := range []string{
		`test.yaml:4:9: source shop: endpoints.prod: environment "prod" is neither in the files nor in the catalog`,
		`test.yaml:9:9: trigger devlopment/big-order: source "shpo" is neither in the files nor in the catalog; did you mean "shop"?`,
		`trigger devlopment/big-order: environment "devlopment" is neither in the files nor in the catalog; did you mean "development"?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	_, triggerOnly, _ := strings.Cut(shop, "---\n")
	_, err = s.apply(read(t, triggerOnly), true)
	if err == nil || !strings.Contains(err.Error(), "is not in the files and would be pruned") {
		t.Errorf("got %v", err)
	}
}

func TestTriggerWithoutANameIsCalledAfterItsWorkflow(t *testing.T) {
	s := newStore(t)
	source, err := s.writer.CreateSource(t.Context(), schemas.Source{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.writer.CreateTrigger(t.Context(), schemas.Trigger{Environment: "production", SourceID: source.ID, Event: "E", Workflow: "w"}); err != nil {
			t.Fatal(err)
		}
	}
	exported := manifest.Export(s.reader.Snapshot())
	if exported.Triggers[0].Name != "w" || exported.Triggers[1].Name != "w-2" {
		t.Errorf("got %+v", exported.Triggers)
	}
	if plan, err := s.apply(exported, true); err != nil || len(plan.Changes) != 0 {
		t.Errorf("got %s, %v", summary(plan), err)
	}
}

func TestEndpointKeysAreNotInAnExport(t *testing.T) {
	s := newStore(t)
	s.mustApply(shop, false)
	source, _ := s.reader.Snapshot().Source("shop")
	text := encode(t, manifest.Export(s.reader.Snapshot()))
	for _, endpoint := range source.Endpoints {
		if strings.Contains(text, endpoint.Key) || strings.Contains(text, endpoint.KeyHash) {
			t.Errorf("a key is in\n%s", text)
		}
	}
}
