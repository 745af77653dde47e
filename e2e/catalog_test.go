package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// command runs the binary against the pipeline's API and returns its exit status and what it wrote.
func command(t *testing.T, p *rig.Pipeline, args ...string) (status int, output string) {
	t.Helper()
	run := exec.Command(rig.Binary(t), append(args, "--api-url="+p.APIURL)...)
	run.Dir = rig.Root(t)
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running millrace %v: %v", args, err)
	}
	return run.ProcessState.ExitCode(), string(out)
}

// TestCatalogAsCodeTakesEffectWithoutARestart applies a file, posts an event to the endpoint it made, and takes it away.
func TestCatalogAsCodeTakesEffectWithoutARestart(t *testing.T) {
	p := rig.Start(t)
	expect := func(wantStatus int, want string, args ...string) string {
		t.Helper()
		status, out := command(t, p, args...)
		if status != wantStatus || !strings.Contains(out, want) {
			t.Fatalf("millrace %v: exit status %d, want %d and %q\n%s", args, status, wantStatus, want, out)
		}
		return out
	}
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	const wanted = `kind: source
name: shop
---
kind: trigger
name: welcome
environments: [development, production]
source: shop
event: Signed Up
workflow: welcome
condition: data.plan == "pro"
`
	if err := os.WriteFile(file, []byte(wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(1, "give --yes", "apply", "-f", file)
	expect(2, "3 to create", "diff", "-f", file)
	expect(0, "Applied: 3 created", "apply", "-f", file, "--yes")
	expect(0, "Nothing to do", "apply", "-f", file)
	line := expect(0, "curl -i", "source", "curl", "shop", "production", "--event=Signed Up")
	endpoint := strings.Split(line, "'")[1]
	body := `{"type":"track","event":"Signed Up","userId":"ada","properties":{"plan":"pro"}}`
	p.Eventually("the new endpoint takes an event", func() error {
		answer, err := rig.Request(http.MethodPost, endpoint, []byte(body), nil)
		if err == nil && answer.Status != http.StatusNoContent {
			err = fmt.Errorf("answered %d: %s", answer.Status, answer.Body)
		}
		return err
	})
	p.Eventually("its run is started", func() error {
		runs, err := rig.All[runItem](p, "/api/v1/runs", map[string][]string{"source": {"shop"}})
		if err == nil && (len(runs) == 0 || runs[0].Status != "delivered") {
			err = fmt.Errorf("runs: %v", runs)
		}
		return err
	})
	directory := t.TempDir()
	expect(0, "in "+directory, "export", "-o", directory)
	expect(0, "Nothing to do", "apply", "-f", directory, "--prune")
	sourceOnly, _, _ := strings.Cut(wanted, "---")
	if err := os.WriteFile(file, []byte(sourceOnly), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(0, "- trigger production/welcome", "apply", "-f", file, "--yes", "--prune")
}
