// Package check holds the tests of the Prometheus alerts and of the Grafana dashboard.
package check
