package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type testCommands struct {
	Global `embed:""`
	Run    struct {
		Kafka struct {
			Brokers     []string `default:"default:1"`
			TopicPrefix string   `default:"millrace."`
			Partitions  int      `default:"6"`
		} `embed:"" prefix:"kafka-"`
	} `cmd:""`
}

// parsed parses args with a settings file that has the given text.
func parsed(t *testing.T, file string, args ...string) (testCommands, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var root testCommands
	parser, err := kong.New(&root, kong.DefaultEnvars("MILLRACE"), kong.Vars{"default_settings_file": defaultSettingsFile})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parse(parser, append([]string{"run", "--config=" + path}, args...))
	return root, err
}

func TestFlagWinsOverVariableOverFileOverDefault(t *testing.T) {
	const file = "kafka:\n  brokers: [file:1, file:2]\n  topic_prefix: file.\n  partitions: 3\n"
	t.Setenv("MILLRACE_KAFKA_TOPIC_PREFIX", "variable.")
	t.Setenv("MILLRACE_KAFKA_PARTITIONS", "4")
	got, err := parsed(t, file, "--kafka-partitions=5")
	if err != nil {
		t.Fatal(err)
	}
	kafka := got.Run.Kafka
	if strings.Join(kafka.Brokers, " ") != "file:1 file:2" || kafka.TopicPrefix != "variable." || kafka.Partitions != 5 {
		t.Errorf("%+v", kafka)
	}
	if got, err = parsed(t, ""); err != nil || got.Run.Kafka.Brokers[0] != "default:1" {
		t.Errorf("%+v, %v", got.Run.Kafka, err)
	}
}

func TestUnknownEntryOfTheFileIsRefusedByName(t *testing.T) {
	_, err := parsed(t, "kafka:\n  brokerz: [a:1]\nother: 1\n")
	if err == nil || !strings.Contains(err.Error(), "kafka.brokerz, other") {
		t.Errorf("got %v", err)
	}
}

func TestFileThatIsNoYAMLOrIsNotThereIsNamed(t *testing.T) {
	if _, err := parsed(t, "kafka: ["); err == nil || !strings.Contains(err.Error(), "settings.yaml") {
		t.Errorf("got %v", err)
	}
	var root testCommands
	parser, err := kong.New(&root, kong.Vars{"default_settings_file": defaultSettingsFile})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(parser, []string{"run", "--config", "nowhere.yaml"}); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("got %v", err)
	}
}
