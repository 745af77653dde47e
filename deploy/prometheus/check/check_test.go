package check

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

const root = "../../../"

// rule is an alert as far as it is checked.
type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(read(t, "deploy/prometheus/alerts.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

// panelQueries returns the queries of the dashboard by the titles of their panels.
func panelQueries(t *testing.T) map[string][]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, "deploy/grafana/dashboards/millrace.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := map[string][]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			// Grafana puts values in their place before it asks.
			expr := strings.NewReplacer("$__rate_interval", "5m", "$job", "millrace").Replace(target.Expr)
			queries[panel.Title] = append(queries[panel.Title], expr)
		}
	}
	if len(queries) == 0 {
		t.Fatal("the dashboard asks nothing")
	}
	return queries
}

func TestAlertsNameMetricsThatExist(t *testing.T) {
	known := documented(t)
	for _, alert := range alerts(t) {
		if err := known.check(alert.Expr); err != nil {
			t.Errorf("%s: %v", alert.Alert, err)
		}
	}
}

func TestPanelsNameMetricsThatExist(t *testing.T) {
	known := documented(t)
	for title, queries := range panelQueries(t) {
		for _, query := range queries {
			if err := known.check(query); err != nil {
				t.Errorf("panel %q: %v", title, err)
			}
		}
	}
}

func TestEveryAlertHasARunbook(t *testing.T) {
	runbooks := string(read(t, "docs/runbooks.md"))
	named := map[string]bool{}
	for _, alert := range alerts(t) {
		named[alert.Alert] = true
		if !strings.Contains(runbooks, "\n## "+alert.Alert+"\n") {
			t.Errorf("docs/runbooks.md has no chapter %s", alert.Alert)
		}
		if _, anchor, _ := strings.Cut(alert.Annotations["runbook_url"], "docs/runbooks.md#"); anchor != strings.ToLower(alert.Alert) {
			t.Errorf("%s leads to %q", alert.Alert, alert.Annotations["runbook_url"])
		}
		if alert.Annotations["summary"] == "" || alert.Annotations["description"] == "" || alert.Labels["severity"] == "" || alert.For == "" {
			t.Errorf("%s lacks a summary, a description, a severity or a duration: %+v", alert.Alert, alert)
		}
	}
	for _, chapter := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(runbooks, -1) {
		if !named[chapter[1]] {
			t.Errorf("docs/runbooks.md has a chapter %s, which is no alert", chapter[1])
		}
	}
}

func TestAMetricThatDoesNotExistIsFound(t *testing.T) {
	known := documented(t)
	for _, query := range []string{"rate(millrace_ingest_nothing_total[5m])", `millrace_ready{flavour="sweet"}`, "millrace_ready ==", "sum by (flavour) (millrace_ready)"} {
		if known.check(query) == nil {
			t.Errorf("%s is taken for right", query)
		}
	}
}

// metrics are the labels of each metric that exists.
type metrics map[string][]string

// documented reads docs/metrics.md, which a test holds against what a running pipeline exposes, and adds what the Go
// client of Prometheus exposes of a process.
func documented(t *testing.T) metrics {
	t.Helper()
	known := metrics{"process_cpu_seconds_total": nil, "process_resident_memory_bytes": nil}
	text := string(read(t, "docs/metrics.md"))
	for _, line := range regexp.MustCompile("(?m)^\\| `(millrace_\\w+)` \\| (\\w+) \\| (.*?) \\|").FindAllStringSubmatch(text, -1) {
		names := strings.Split(line[3], ", ")
		if line[2] != "histogram" {
			known[line[1]] = names
			continue
		}
		known[line[1]+"_bucket"] = append(names, "le")
		known[line[1]+"_sum"], known[line[1]+"_count"] = names, names
	}
	return known
}

// check parses a query and looks for what it names. job and instance are given by Prometheus.
func (m metrics) check(query string) error {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	var found error
	allowed := map[string]bool{"job": true, "instance": true}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		names, exists := m[selector.Name]
		if !exists {
			found = fmt.Errorf("%s: there is no metric %s", query, selector.Name)
		}
		for _, name := range names {
			allowed[name] = true
		}
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name != model.MetricNameLabel && !allowed[matcher.Name] {
				found = fmt.Errorf("%s: %s has no label %s", query, selector.Name, matcher.Name)
			}
		}
		return nil
	})
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if sum, is := node.(*parser.AggregateExpr); is {
			for _, name := range sum.Grouping {
				if !allowed[name] {
					found = fmt.Errorf("%s: no metric in it has a label %s", query, name)
				}
			}
		}
		return nil
	})
	return found
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(root + path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
