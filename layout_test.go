package millrace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

const module = "github.com/millrace/millrace/"

// mayImport lists, for each package, the packages of this module that it may import, tests included by their own rule
// below. A package that is not listed here is refused: adding one is a decision.
func mayImport() map[string][]string {
	role := []string{"catalog", "clienttls", "kafka", "listen", "secretref", "telemetry", "schemas"}
	return map[string][]string{
		"schemas":                   {"schemas/jsonscan"},
		"schemas/jsonscan":          nil,
		"schemas/typo":              nil,
		"clienttls":                 nil,
		"secretref":                 nil,
		"listen":                    nil,
		"doctor":                    {"kafka"},
		"telemetry":                 {"listen"},
		"kafka":                     {"clienttls", "schemas", "secretref"},
		"catalog":                   {"kafka", "schemas", "secretref", "telemetry"},
		"catalog/manifest":          {"catalog", "schemas", "schemas/typo", "secretref"},
		"dedup":                     {"schemas"},
		"processor/rules":           {"schemas", "schemas/jsonscan", "schemas/typo"},
		"ingest":                    role,
		"processor":                 append([]string{"processor/rules", "dedup"}, role...),
		"dispatcher":                append([]string{"dedup", "schemas/jsonscan"}, role...),
		"eventlog":                  role,
		"eventlog/query":            {"schemas"},
		"replay":                    append([]string{"eventlog/query", "processor/rules"}, role...),
		"api":                       {"catalog", "catalog/manifest", "eventlog/query", "listen", "processor/rules", "schemas", "schemas/typo", "secretref", "telemetry"},
		"console":                   {"api", "catalog", "eventlog/query", "listen", "schemas", "secretref", "telemetry"},
		"embedded":                  {"embedded/chdb", "embedded/receiver"},
		"embedded/chdb":             nil,
		"embedded/receiver":         {"schemas"},
		"rig":                       {"rig/lifetime", "rig/pki"},
		"rig/lifetime":              nil,
		"rig/pki":                   nil,
		"rig/engine":                {"embedded/chdb"},
		"rig/browser":               nil,
		"rig/clickhouse":            {"embedded/chdb"},
		"rig/ledger":                {"kafka", "schemas"},
		"rig/fleet":                 {"catalog", "kafka", "rig", "rig/engine", "rig/ledger", "rig/lifetime", "schemas"},
		"e2e":                       {"rig", "rig/browser"},
		"e2e/faults":                nil,
		"e2e/netcut":                nil,
		"e2e/security":              nil,
		"e2e/upgrade":               nil,
		"deploy/kafka/certificates": {"rig/pki"},
		"bench/dedup":               {"dedup", "schemas"},
		"bench/load":                nil,
		"bench/results":             nil,
		"bench/eventlog":            {"bench/results", "bench/sample", "bench/usage", "embedded", "embedded/chdb", "eventlog", "kafka", "rig/lifetime", "schemas"},
		"bench/ingest":              {"bench/load/mix", "bench/load/openloop", "bench/results", "catalog", "embedded", "ingest", "kafka", "rig/lifetime", "schemas"},
		"bench/load/openloop":       nil,
		"bench/load/mix":            {"bench/load/openloop", "bench/sample", "schemas"},
		"bench/post":                {"bench/load/mix", "bench/load/openloop"},
		"bench/pipeline":            {"api", "bench/load/mix", "bench/load/openloop", "bench/plot", "bench/results", "bench/sample", "bench/usage", "embedded/chdb", "eventlog", "kafka", "rig/lifetime", "schemas"},
		"bench/sample":              {"bench/load", "schemas"},
		"bench/plot":                nil,
		"bench/report":              {"bench/results", "embedded/chdb", "rig/lifetime"},
		"bench/usage":               nil,
		"bench/processor":           {"bench/results", "bench/sample", "bench/usage", "catalog", "kafka", "rig/lifetime", "schemas"},
		"bench/fill":                nil,
		"bench/pages":               {"bench/fill", "embedded/chdb", "eventlog", "rig/lifetime"},
		"bench/query":               {"bench/fill", "bench/results", "embedded/chdb", "eventlog", "eventlog/query"},
		"cmd/millrace":              {"api", "bench/load", "catalog", "catalog/manifest", "console", "dispatcher", "doctor", "embedded", "embedded/chdb", "embedded/receiver", "eventlog", "eventlog/query", "ingest", "kafka", "listen", "processor", "replay", "schemas", "secretref", "telemetry"},
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	allowed := mayImport()
	for _, p := range packages(t) {
		name, inside := strings.CutPrefix(p.ImportPath, module)
		if !inside {
			continue
		}
		may, listed := allowed[name]
		if !listed {
			t.Errorf("package %s is not in the plan of layout_test.go", name)
			continue
		}
		for _, path := range p.Imports {
			if imported, ours := strings.CutPrefix(path, module); ours && !slices.Contains(may, imported) {
				t.Errorf("%s imports %s; it may import: %s", name, imported, strings.Join(may, ", "))
			}
		}
	}
}

// documents are the files whose claims the tests below check.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	}
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// inDocuments calls check with each match of the pattern's first group in each document, the CHANGELOG left out: it
// speaks of the past.
func inDocuments(t *testing.T, pattern string, check func(name string) error) {
	t.Helper()
	found := 0
	for document, text := range documents(t) {
		if document == "CHANGELOG.md" {
			continue
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found++
			if err := check(match[1]); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
	if found == 0 {
		t.Errorf("no document has anything like %s; has the way of writing changed?", pattern)
	}
}

func TestEveryPathInTheDocumentsExists(t *testing.T) {
	inDocuments(t, "`((?:\\.ci|api|bench|catalog|clienttls|cmd|console|dedup|deploy|dispatcher|docs|doctor|e2e|embedded|eventlog|ingest|kafka|listen|processor|replay|rig|schemas|secretref|telemetry|tools)/[A-Za-z0-9_./-]*)`", func(path string) error {
		_, err := os.Stat(path)
		return err
	})
}

func TestEveryMakeTargetInTheDocumentsExists(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	inDocuments(t, "`make ([a-z-]+)", func(target string) error {
		if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
			return fmt.Errorf("make %s: no such target", target)
		}
		return nil
	})
}

func TestEveryTestInTheDocumentsExists(t *testing.T) {
	out, err := exec.Command("grep", "-rhoE", "^func Test[A-Za-z0-9_]+", "--include=*_test.go", ".").Output()
	if err != nil {
		t.Fatalf("grep: %v", err)
	}
	known := strings.Fields(string(out))
	inDocuments(t, "`(Test[A-Za-z0-9_]+)`", func(name string) error {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: no such test", name)
		}
		return nil
	})
}

func TestEveryTopicInTheDocumentsExists(t *testing.T) {
	inDocuments(t, "`millrace\\.([a-z.]+)`", func(name string) error {
		if slices.ContainsFunc(schemas.Topics(), func(topic schemas.Topic) bool { return topic.Name == name }) {
			return nil
		}
		if name == "yaml" {
			return nil // the settings file
		}
		migrations, err := filepath.Glob("schemas/clickhouse/*_" + name + ".sql")
		if err != nil || len(migrations) == 0 {
			return fmt.Errorf("millrace.%s is neither a topic nor a table", name)
		}
		return nil
	})
}

// TestEverySettingInTheDocumentsExists asks the binary's own help for the flags.
func TestEverySettingInTheDocumentsExists(t *testing.T) {
	known := ""
	for _, command := range []string{"dev", "send", "apply", "ingest", "processor", "dispatcher", "eventlog", "eventlog rebuild", "api", "console", "topics", "doctor", "acls", "grants", "migrate", "library", "events list", "stats", "replay create"} {
		out, err := exec.Command("go", append(append([]string{"run", "./cmd/millrace"}, strings.Fields(command)...), "--help")...).Output()
		if err != nil {
			t.Fatalf("millrace %s --help: %v", command, err)
		}
		known += string(out)
	}
	inDocuments(t, "`(?:millrace [a-z]+ )?--([a-z-]+)", func(flag string) error {
		if !strings.Contains(known, "--"+flag) {
			return fmt.Errorf("--%s: no such flag", flag)
		}
		return nil
	})
	inDocuments(t, "(MILLRACE_[A-Z_]+)", func(variable string) error {
		if !strings.Contains(known, "$"+variable) && !slices.Contains([]string{"MILLRACE_BINARY", "MILLRACE_TEST_ON", "MILLRACE_TEST_KAFKA", "MILLRACE_TEST_CLICKHOUSE", "MILLRACE_UPDATE_GOLDEN", "MILLRACE_FAULT_DURATION", "MILLRACE_FAULT_SEED", "MILLRACE_CHROMIUM"}, variable) {
			return fmt.Errorf("%s: no such variable", variable)
		}
		return nil
	})
}
