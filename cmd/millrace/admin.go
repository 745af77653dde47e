package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/telemetry"
)

// admin is what a process tells about its roles on the admin listener.
type admin struct {
	health  *telemetry.Health
	metrics *prometheus.Registry
	catalog kafka.Config // for who changes the catalog; set once it is read
}

// withAdmin serves the admin listener while run runs roles.
func withAdmin(ctx context.Context, config telemetry.AdminConfig, logger *slog.Logger, roles []string, run func(context.Context, *admin) error) error {
	a := &admin{health: telemetry.NewHealth(roles...), metrics: telemetry.NewMetrics()}
	if err := a.metrics.Register(a.health); err != nil {
		return fmt.Errorf("registering the metric of readiness: %w", err)
	}
	group, together := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		// It answers until the roles have ended: orchestrators and Prometheus look at a process that stops, too.
		defer stop()
		return run(together, a)
	})
	group.Go(func() error { return telemetry.ServeAdmin(serving, config, a.health, a.metrics, logger) })
	return group.Wait()
}

// withRole is withAdmin for one role that follows the catalog.
func withRole(ctx context.Context, role string, config telemetry.AdminConfig, cluster kafka.Config, logger *slog.Logger, run func(context.Context, *admin, *catalog.Reader) error) error {
	return withAdmin(ctx, config, logger, []string{role}, func(ctx context.Context, admin *admin) error {
		return withCatalog(ctx, cluster, admin, logger, func(ctx context.Context, reader *catalog.Reader) error {
			return run(ctx, admin, reader)
		})
	})
}

// add registers the metrics of a role and its answer to whether it is ready.
func (a *admin) add(role string, metrics prometheus.Collector, ready func(context.Context) telemetry.Readiness) error {
	if err := a.metrics.Register(metrics); err != nil {
		return fmt.Errorf("registering the metrics of %s: %w", role, err)
	}
	a.health.Report(role, ready)
	return nil
}

// watch returns the settings of a cluster whose clients are counted for a role.
func (a *admin) watch(role string, cluster kafka.Config) (kafka.Config, error) {
	metrics := telemetry.NewKafkaMetrics(role)
	if err := a.metrics.Register(metrics); err != nil {
		return cluster, fmt.Errorf("registering the metrics of the Kafka clients of %s: %w", role, err)
	}
	cluster.Hooks = append([]kgo.Hook{metrics}, cluster.Hooks...)
	return cluster, nil
}

// at leaves out the context of a role's readiness that asks nobody.
func at(ready func() telemetry.Readiness) func(context.Context) telemetry.Readiness {
	return func(context.Context) telemetry.Readiness { return ready() }
}
