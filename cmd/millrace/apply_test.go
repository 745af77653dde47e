package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

const example = "../../deploy/examples/catalog.yaml"

func TestApplyShowsThePlanAndIsIdempotent(t *testing.T) {
	c := newCLI(t)
	_, _ = c.run(exitDifferent, "diff", "-f", example)
	if len(c.reader.Snapshot().Sources()) != 0 {
		t.Fatal("diff changed something")
	}
	out := c.shows([]string{
		"+ environment staging\n", "+ source shop\n", "+ trigger production/big-order\n", "    mapping.data.order: \"data.order_id\"\n",
		"condition: \"data.total > 100\\n  && data.currency", "Applied: 5 created, 0 updated, 0 deleted, 0 unchanged.",
	}, "apply", "-f", example, "--yes")
	if strings.Index(out, "+ environment") > strings.Index(out, "+ source") {
		t.Errorf("not in the order of the changes:\n%s", out)
	}
	revisions := revisionsOf(c)
	c.shows([]string{"Nothing to do; 5 unchanged."}, "apply", "-f", example)
	c.shows([]string{"5 unchanged."}, "diff", "-f", example)
	if got := revisionsOf(c); got != revisions {
		t.Errorf("applying twice: %s, then %s", revisions, got)
	}
	changed := strings.Replace(readFile(t, example), "dedup_window: 48h", "dedup_window: 2h", 1)
	c.shows([]string{"~ source shop\n    endpoints.production.dedup_window: \"48h\" -> \"2h\"\n"}, "apply", "-y", "-f", c.file(changed))
}

func revisionsOf(c *cli) string {
	revisions, err := json.Marshal([]any{c.reader.Snapshot().Environments(), c.reader.Snapshot().Sources(), c.reader.Snapshot().Triggers()})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(revisions)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestApplyDeletesOnlyWithPruneAndNeverEnvironments(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-f", example, "--yes")
	other := c.file("kind: source\nname: other\n")
	c.shows([]string{"1 created, 0 updated, 0 deleted"}, "apply", "-f", other, "-y")
	c.shows([]string{"- trigger production/big-order\n", "- source shop (its endpoint keys are lost for good)\n", "0 updated, 4 deleted, 1 unchanged"}, "apply", "-f", other, "-y", "--prune")
	if snapshot := c.reader.Snapshot(); len(snapshot.Environments()) != 3 || len(snapshot.Triggers()) != 0 {
		t.Errorf("%v, %v", snapshot.Environments(), snapshot.Triggers())
	}
	c.fails([]string{"would delete every source and trigger"}, "apply", "-f", c.file("# nothing\n"), "--prune", "--yes")
}

func TestApplyIfEmptyLeavesACatalogAloneThatHasBegun(t *testing.T) {
	c := newCLI(t)
	c.shows([]string{"Applied: 5 created"}, "apply", "-f", example, "--if-empty", "--yes")
	changed := c.file(strings.Replace(readFile(t, example), "dedup_window: 48h", "dedup_window: 2h", 1))
	before := revisionsOf(c)
	c.run(0, "apply", "-f", changed, "--if-empty", "--yes")
	if got := revisionsOf(c); got != before {
		t.Errorf("it was %s and is %s", before, got)
	}
}

func TestApplyAsksUnlessToldNotTo(t *testing.T) {
	c := newCLI(t)
	c.fails([]string{"give --yes"}, "apply", "-f", example)
	c.isTTY, c.stdin = true, "no\n"
	c.fails([]string{"5 to create", "nothing was done"}, "apply", "-f", example)
	c.stdin = readFile(t, example)
	c.fails([]string{"give --yes"}, "apply", "-f", "-")
	if len(c.reader.Snapshot().Sources()) != 0 {
		t.Fatal("something was applied")
	}
	c.stdin = "yes\n"
	c.shows([]string{"Applied: 5 created"}, "apply", "-f", example)
	c.stdin = readFile(t, example)
	c.shows([]string{"Nothing to do"}, "apply", "-f", "-")
}

func TestApplyRefusesEverythingThatIsWrongAndWritesNothing(t *testing.T) {
	c := newCLI(t)
	path := c.file(strings.NewReplacer("&& data.currency", "&& daat.currency", "len(data.products)", "1 +", "name: staging", "naem: staging").Replace(readFile(t, example)))
	want := []string{
		path + ":5:1: environment: naem: unknown member \"naem\"; did you mean name?",
		path + ":33:12: trigger production/big-order: condition: unknown name \"daat\"", "(line 2, column 6 of it)",
		path + ":42:12: trigger production/big-order: mapping.data.count: ",
	}
	c.fails(want, "apply", "-f", path, "--yes")
	c.fails(want, "validate", "-f", path)
	// What only the catalog knows is refused by the API and found in the file all the same.
	path = c.file("kind: trigger\nname: t\nenvironments: [production, development]\nsource: shpo\nevent: e\nworkflow: w\n---\nkind: source\nname: shop\n---\nkind: source\nname: src_1\n")
	c.run(0, "validate", "-f", path)
	c.fails([]string{path + `:4:9: trigger production/t: source "shpo" is neither in the files nor in the catalog; did you mean "shop"?`}, "apply", "-f", path, "--yes")
	path = c.file("---\nkind: source\nname: src_1\n")
	c.fails([]string{path + `:3:7: source src_1: name "src_1" looks like an ID`}, "diff", "-f", path)
	if len(c.reader.Snapshot().Sources()) != 0 {
		t.Error("something was applied")
	}
}

func TestExportAppliesToTheSame(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-f", example, "--yes")
	text, _ := c.run(0, "export")
	for _, source := range c.reader.Snapshot().Sources() {
		for _, endpoint := range source.Endpoints {
			if strings.Contains(text, endpoint.Key) {
				t.Errorf("an endpoint key is in\n%s", text)
			}
		}
	}
	c.stdin = text
	c.shows([]string{"Nothing to do"}, "apply", "-f", "-", "--prune")
	directory := filepath.Join(t.TempDir(), "catalog")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "old.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := c.run(0, "export", "-o", directory); !strings.Contains(errs, "old.yaml is not of this export") {
		t.Errorf("no warning: %s", errs)
	}
	if text := readFile(t, filepath.Join(directory, "source-shop.yaml")); !strings.HasPrefix(text, "# yaml-language-server: $schema=manifest.schema.json\nkind: source\n") {
		t.Errorf("%s", text)
	}
	c.shows([]string{"Nothing to do"}, "apply", "-f", directory, "--prune")
	c.shows([]string{"3 environments, 1 sources, 3 triggers"}, "validate", "-f", directory)
}

func TestPlanIsJSONForScripts(t *testing.T) {
	c := newCLI(t)
	out, _ := c.run(exitDifferent, "diff", "-f", example, "-o", "json")
	var plan struct {
		Changes []struct{ Action, Kind, Name, Environment, ID string }
		Applied bool
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || len(plan.Changes) != 5 || plan.Applied || plan.Changes[1].Name != "shop" || plan.Changes[1].ID != "" {
		t.Errorf("%v: %s", err, out)
	}
	if out, _ = c.run(0, "schema", "manifest"); out != string(schemas.Manifest()) {
		t.Errorf("%s", out)
	}
}

func TestCtrlCAtTheQuestionDoesNothing(t *testing.T) {
	read, write := io.Pipe() // nobody answers
	t.Cleanup(func() { write.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (terminal{in: read, err: io.Discard, isInteractive: true}).confirm(ctx, "Apply?"); err == nil || err.Error() != "nothing was done" {
		t.Errorf("got %v", err)
	}
}
