package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// deployed is a container that runs this binary.
type deployed struct {
	where     string
	args      []string
	variables []string
}

func TestTheDeploymentsRunCommandsThatExist(t *testing.T) {
	all := append(inCompose(t), inKubernetes(t)...)
	for _, role := range []string{"ingest", "processor", "dispatcher", "eventlog", "replay", "api", "console", "topics", "migrate"} {
		count := 0
		for _, one := range all {
			if slices.Contains(one.args, role) {
				count++
			}
		}
		if count != 2 {
			t.Errorf("%s runs in %d places, want in docker-compose.yml and in deploy/kubernetes", role, count)
		}
	}
	for _, one := range all {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append(one.args, "--help"), terminal{strings.NewReader(""), &out, &errs, false}); status != 0 {
			t.Errorf("%s: millrace %s: %s", one.where, strings.Join(one.args, " "), errs.String())
		}
		for _, name := range one.variables {
			if strings.HasPrefix(name, "MILLRACE_") && !strings.Contains(out.String(), "$"+name) {
				t.Errorf("%s: millrace %s does not know %s", one.where, strings.Join(one.args, " "), name)
			}
		}
	}
}

func inCompose(t *testing.T) []deployed {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Image       string            `yaml:"image"`
			Command     []string          `yaml:"command"`
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, "../../docker-compose.yml")), &file); err != nil {
		t.Fatal(err)
	}
	var found []deployed
	for name, service := range file.Services {
		if !strings.HasPrefix(service.Image, "millrace:") || service.Command == nil {
			continue
		}
		one := deployed{where: "service " + name, args: service.Command}
		for variable := range service.Environment {
			one.variables = append(one.variables, variable)
		}
		found = append(found, one)
	}
	return found
}

func inKubernetes(t *testing.T) []deployed {
	t.Helper()
	var found []deployed
	for _, path := range []string{"../../deploy/kubernetes/roles.yaml", "../../deploy/kubernetes/jobs.yaml"} {
		for decoder := yaml.NewDecoder(strings.NewReader(readFile(t, path))); ; {
			var object struct {
				Spec struct {
					Template struct {
						Spec struct {
							Containers []struct {
								Name string                  `yaml:"name"`
								Args []string                `yaml:"args"`
								Env  []struct{ Name string } `yaml:"env"`
							} `yaml:"containers"`
						} `yaml:"spec"`
					} `yaml:"template"`
				} `yaml:"spec"`
			}
			err := decoder.Decode(&object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for _, container := range object.Spec.Template.Spec.Containers {
				one := deployed{where: path + " " + container.Name, args: container.Args}
				for _, variable := range container.Env {
					one.variables = append(one.variables, variable.Name)
				}
				found = append(found, one)
			}
		}
	}
	return found
}
