package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/millrace/millrace/embedded/chdb"
)

// setting is what figures are worth nothing without: the machine, and the versions of all that took part.
type setting struct {
	Machine  []fact
	Versions []fact
}

type fact struct{ Name, Value string }

func settingFile(dir string) string { return filepath.Join(dir, "setting.json") }

const unknown = "unknown"

// readSetting asks the machine and the checkout. What cannot be told is unknown: no reason to measure nothing.
func readSetting(ctx context.Context) setting {
	return setting{
		Machine: []fact{
			{"CPU", lineOf("/proc/cpuinfo", "model name")},
			{"cores", strconv.Itoa(runtime.NumCPU())},
			{"memory", memory()},
			{"system", fileText("/proc/sys/kernel/ostype") + " " + fileText("/proc/sys/kernel/osrelease")},
		},
		Versions: versions(ctx),
	}
}

func versions(ctx context.Context) []fact {
	all := []fact{{"Go", runtime.Version()}}
	for _, module := range []string{"github.com/twmb/franz-go", "github.com/ClickHouse/clickhouse-go/v2", "github.com/gofiber/fiber/v2"} {
		all = append(all, fact{module, said(ctx, "go", "list", "-m", "-f", "{{.Version}}", module)})
	}
	all = append(
		all,
		fact{"Apache Kafka", pomVersion("deploy/kafka/pom.xml", "kafka_2.13")},
		fact{"embedded Kafka (kfake)", said(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/twmb/franz-go/pkg/kfake")},
		fact{"ClickHouse engine (chDB)", chdb.LibraryVersion},
		fact{"Kafka Streams", pomVersion("bench/peers/streams/pom.xml", "kafka-streams")},
	)
	return append(all, peers(ctx)...)
}

// peers are what the peers' own modules require.
func peers(ctx context.Context) []fact {
	files, err := filepath.Glob("bench/peers/*/go.mod")
	if err != nil {
		return nil
	}
	var all []fact
	for _, file := range files {
		var module struct {
			Require []struct {
				Path, Version string
				Indirect      bool
			}
		}
		if json.Unmarshal([]byte(said(ctx, "go", "mod", "edit", "-json", file)), &module) != nil {
			continue
		}
		for _, required := range module.Require {
			if !required.Indirect {
				all = append(all, fact{filepath.Base(filepath.Dir(file)) + ": " + required.Path, required.Version})
			}
		}
	}
	return all
}

// commit names what is checked out, and whether more than what a run writes was changed since. It is asked for before each
// section: they may be run on different days.
func commit(ctx context.Context) string {
	name := said(ctx, "git", "rev-parse", "--short=12", "HEAD")
	if said(ctx, "git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/RESULTS.md", ":!bench/plots") != "" {
		name += ", changed"
	}
	return name
}

func said(ctx context.Context, name string, arguments ...string) string {
	out, err := exec.CommandContext(ctx, name, arguments...).Output()
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(out))
}

// pomVersion returns the version that a Maven file has of an artifact.
func pomVersion(path, artifact string) string {
	found := regexp.MustCompile(`<artifactId>` + regexp.QuoteMeta(artifact) + `</artifactId>\s*<version>([^<]+)</version>`).FindStringSubmatch(fileText(path))
	if found == nil {
		return unknown
	}
	return found[1]
}

func fileText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(text))
}

// lineOf returns what stands behind the colon of the first line of a name.
func lineOf(path, name string) string {
	for line := range bytes.Lines([]byte(fileText(path))) {
		if key, value, found := bytes.Cut(line, []byte(":")); found && string(bytes.TrimSpace(key)) == name {
			return string(bytes.TrimSpace(value))
		}
	}
	return unknown
}

func memory() string {
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(lineOf("/proc/meminfo", "MemTotal"), " kB"), 64)
	if err != nil {
		return unknown
	}
	return fmt.Sprintf("%.1f GiB", kibibytes/(1<<20))
}

// load is how many processes wanted to run in the last 1, 5 and 15 minutes.
func load() string {
	fields := strings.Fields(fileText("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}
