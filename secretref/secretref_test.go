package secretref_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/secretref"
)

func TestASecretIsReadAnewAtEachUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := secretref.Resolve("file:" + path); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	t.Setenv("TEST_SECRET", " of the environment ")
	if got, err := secretref.Resolve("env:TEST_SECRET"); err != nil || got != "of the environment" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNoReferenceIsRefusedWithoutBeingRepeated(t *testing.T) {
	for _, ref := range []string{"hunter2", "env:", "file:", "vault:hunter2", ""} {
		if _, err := secretref.Resolve(ref); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", ref, err)
		}
	}
	if _, err := secretref.Resolve("env:NOT_SET_ANYWHERE"); err == nil || !strings.Contains(err.Error(), "NOT_SET_ANYWHERE") {
		t.Errorf("the error does not name the variable: %v", err)
	}
}
