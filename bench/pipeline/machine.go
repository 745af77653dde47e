package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/bench/usage"
)

// machine is the line that figures are worth nothing without.
func (w *world) machine(ctx context.Context) string {
	memory, _ := usage.Lines("/proc/meminfo") // 0 says that it is not known
	parts := []string{
		fmt.Sprintf("%d cores, %s", runtime.NumCPU(), processorModel()),
		fmt.Sprintf("%.1f GiB", float64(memory["MemTotal"])/(1<<20)),
		"Linux " + kernel(), runtime.Version(), w.kafkaVersion(ctx), w.clickhouseVersion(ctx),
	}
	return strings.Join(parts, "; ")
}

func processorModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown model"
	}
	for line := range bytes.Lines(text) {
		if name, model, found := bytes.Cut(line, []byte(":")); found && bytes.HasPrefix(name, []byte("model name")) {
			return string(bytes.TrimSpace(model))
		}
	}
	return "unknown model"
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "of an unknown version"
	}
	return unix.ByteSliceToString(name.Release[:])
}

func (w *world) kafkaVersion(ctx context.Context) string {
	if w.settings.isEmbedded {
		return "embedded Kafka"
	}
	name := "Apache Kafka"
	versions, err := w.topics.ApiVersions(ctx)
	if err != nil {
		return name + " of an unknown version"
	}
	for _, broker := range versions {
		return name + " " + broker.VersionGuess()
	}
	return name
}

func (w *world) clickhouseVersion(ctx context.Context) string {
	var version string
	if err := w.log.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		version = "of an unknown version"
	}
	return "ClickHouse " + version + " (embedded engine)"
}
