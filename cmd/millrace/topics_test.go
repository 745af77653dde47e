package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// runs a command line about the topics of a broker and returns what it wrote.
func runTopics(t *testing.T, cluster rig.Cluster, status int, args ...string) string {
	t.Helper()
	args = append([]string{"topics"}, append(args, "--kafka-brokers="+cluster.Brokers[0], "--kafka-topic-prefix="+cluster.TopicPrefix)...)
	var out bytes.Buffer
	if got := run(t.Context(), args, terminal{strings.NewReader(""), &out, &out, false}); got != status {
		t.Fatalf("millrace %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, out.String())
	}
	return out.String()
}

func TestTopicsArePlannedAndApplied(t *testing.T) {
	cluster := rig.Kafka(t)
	f := func(status int, want string, args ...string) {
		t.Helper()
		if got := runTopics(t, cluster, status, args...); !strings.Contains(got, want) {
			t.Errorf("topics %v: no %q in\n%s", args, want, got)
		}
	}
	f(exitDifferent, "+ "+cluster.TopicPrefix+"events: 3 partitions", "plan", "--kafka-topics-partitions=3")
	f(0, "as it should be", "apply", "--kafka-topics-partitions=3")
	f(0, "as it should be", "plan", "--kafka-topics-partitions=3")
	f(exitDifferent, "~ "+cluster.TopicPrefix+"events: retention.ms 259200000 -> 360000000", "plan", "--kafka-topics-partitions=3", "--kafka-topics-retention=100h")
	f(0, "~ ", "--kafka-topics-partitions=3", "--kafka-topics-retention=100h") // topics alone applies
	f(0, "events: retention.ms stays 360000000, not 259200000", "plan", "--kafka-topics-partitions=3")
	f(exitFailed, "--add-partitions", "apply", "--kafka-topics-partitions=4")
	f(0, "partitions 3 -> 4", "apply", "--kafka-topics-partitions=4", "--add-partitions")
	f(exitFailed, "partitions 0", "plan", "--kafka-topics-partitions=0")
}
