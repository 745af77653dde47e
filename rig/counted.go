package rig

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Counted returns the value of a role's counter with these label values, in the order of the labels' names. The test fails
// where there is none.
func Counted(tb testing.TB, role prometheus.Collector, name string, labels ...string) float64 {
	tb.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(role)
	families, err := registry.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var values []string
			for _, label := range metric.GetLabel() {
				values = append(values, label.GetValue())
			}
			if family.GetName() == name && slices.Equal(values, labels) {
				return metric.GetCounter().GetValue()
			}
		}
	}
	tb.Fatalf("no counter %s of %q", name, labels)
	return 0
}
