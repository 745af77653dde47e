package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/millrace/millrace/rig"
)

// described is a line of the table in docs/metrics.md.
type described struct{ kind, labels, meaning string }

func TestMetricsAreThoseThatAreDocumented(t *testing.T) {
	a := newApp(t)
	a.send(t, samples(t)[:50])
	if answer, err := rig.Request(http.MethodGet, a.ConsoleURL+"/", nil, nil); err != nil || answer.Status != http.StatusOK {
		t.Fatalf("%+v, %v", answer, err)
	}
	documented := documentedMetrics(t)
	a.Eventually("every documented metric is exposed", func() error {
		exposed, err := a.metrics()
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(documented)) {
			if _, is := exposed[name]; !is {
				return fmt.Errorf("%s is documented and not exposed", name)
			}
		}
		return nil
	})
	exposed, err := a.metrics()
	if err != nil {
		t.Fatal(err)
	}
	for name, is := range exposed {
		if want, found := documented[name]; !found {
			t.Errorf("%s is exposed and not documented: %+v", name, is)
		} else if is != want {
			t.Errorf("%s is\n%+v, and documented as\n%+v", name, is, want)
		}
	}
}

func documentedMetrics(t *testing.T) map[string]described {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(rig.Root(t), "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]described{}
	for _, line := range regexp.MustCompile("(?m)^\\| `(millrace_\\w+)` \\| (\\w+) \\| (.*?) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		documented[line[1]] = described{line[2], line[3], line[4]}
	}
	if len(documented) == 0 {
		t.Fatal("docs/metrics.md lists no metric")
	}
	return documented
}

// metrics returns Millrace's own metrics as they are exposed.
func (a *app) metrics() (map[string]described, error) {
	answer, err := rig.Request(http.MethodGet, a.AdminURL+"/metrics", nil, nil)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(answer.Body)))
	if err != nil {
		return nil, fmt.Errorf("reading /metrics: %w", err)
	}
	exposed := map[string]described{}
	for name, family := range families {
		if strings.HasPrefix(name, "millrace_") {
			exposed[name] = described{strings.ToLower(family.GetType().String()), labelsOf(family), family.GetHelp()}
		}
	}
	return exposed, nil
}

func labelsOf(family *dto.MetricFamily) string {
	var labels []string
	for _, label := range family.GetMetric()[0].GetLabel() {
		labels = append(labels, label.GetName())
	}
	if len(labels) == 0 {
		return "-"
	}
	return strings.Join(labels, ", ")
}

func TestReadinessIsToldByRole(t *testing.T) {
	p := rig.Start(t)
	p.Eventually("all roles are ready", func() error {
		answer, err := rig.Request(http.MethodGet, p.AdminURL+"/readyz", nil, nil)
		if err != nil {
			return err
		}
		if answer.Status != http.StatusOK {
			return fmt.Errorf("%d %s", answer.Status, answer.Body)
		}
		for _, role := range []string{"ingest", "processor", "dispatcher", "eventlog", "replay", "api", "console"} {
			if !strings.Contains(string(answer.Body), `"`+role+`":{"ready":true`) {
				return fmt.Errorf("%s is not said to be ready: %s", role, answer.Body)
			}
		}
		return nil
	})
}
