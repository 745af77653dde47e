package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

func TestTheSettingsFilesOfTheDeploymentsHaveOnlySettings(t *testing.T) {
	files := map[string]string{"compose": readFile(t, "../../deploy/compose/millrace.yaml")}
	for _, manifest := range []string{"settings.yaml", "jobs.yaml"} {
		files[manifest] = settingsOf(t, filepath.Join("../../deploy/kubernetes", manifest))
	}
	app := kong.Must(&commands{}, kong.DefaultEnvars("MILLRACE"), kong.Vars{"default_settings_file": defaultSettingsFile})
	for name, text := range files {
		entries, err := loadSettings(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(entries) < 10 {
			t.Errorf("%s has %d entries; has it been read?", name, len(entries))
		}
		if err := entries.Validate(app.Model); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// settingsOf returns the settings file in the ConfigMap of a manifest.
func settingsOf(t *testing.T, path string) string {
	t.Helper()
	for decoder := yaml.NewDecoder(strings.NewReader(readFile(t, path))); ; {
		var object struct {
			Kind string            `yaml:"kind"`
			Data map[string]string `yaml:"data"`
		}
		if err := decoder.Decode(&object); err != nil {
			t.Fatalf("%s has no ConfigMap: %v", path, err)
		}
		if object.Kind == "ConfigMap" {
			return object.Data["millrace.yaml"]
		}
	}
}

func TestTheDemoOfComposeIsThatOfDev(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-f", "../../deploy/compose/demo.yaml", "--if-empty", "--yes")
	made := c.reader.Snapshot()
	source, found := made.Source(demoSource)
	if !found {
		t.Fatal("there is no source demo")
	}
	if len(made.Triggers()) != len(made.Environments()) {
		t.Fatalf("%d triggers in %d environments", len(made.Triggers()), len(made.Environments()))
	}
	for _, got := range made.Triggers() {
		want := demoTrigger(got.Environment, source.ID)
		if got.SourceID != want.SourceID || got.Event != want.Event || got.Workflow != want.Workflow {
			t.Errorf("%+v, want %+v", got, want)
		}
		if mapping, wanted := asJSON(t, got.Mapping), asJSON(t, want.Mapping); mapping != wanted {
			t.Errorf("the mapping is %s, want %s", mapping, wanted)
		}
	}
}

// asJSON writes a value with its members in order and without the blanks that raw messages keep.
func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
