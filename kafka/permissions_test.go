package kafka_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// TestARoleMayReadAndWriteWhatTheTopicsSay compares the permissions with what each topic says of who uses it.
func TestARoleMayReadAndWriteWhatTheTopicsSay(t *testing.T) {
	// What the API does now and then is not said there: a dry run reads events, sending again writes runs.
	exceptions := []string{"api reads events", "api writes runs"}
	for _, role := range kafka.Roles()[:len(kafka.Roles())-1] { // the last one is no role
		reads, writes := usedTopics(t, role)
		for _, topic := range schemas.Topics() {
			readers := strings.Replace(topic.Readers, "every role", "ingest, processor, dispatcher, replay, api", 1)
			if got, want := slices.Contains(reads, topic.Name), isNamed(readers, role); got != want && !slices.Contains(exceptions, role+" reads "+topic.Name) {
				t.Errorf("%s may read %s: %t; the topic says %t", role, topic.Name, got, want)
			}
			if got, want := slices.Contains(writes, topic.Name), isNamed(topic.Writer, role); got != want && !slices.Contains(exceptions, role+" writes "+topic.Name) {
				t.Errorf("%s may write %s: %t; the topic says %t", role, topic.Name, got, want)
			}
		}
	}
}

func isNamed(roles, role string) bool { return slices.Contains(strings.Split(roles, ", "), role) }

func usedTopics(t *testing.T, role string) (reads, writes []string) {
	t.Helper()
	permissions, err := kafka.Config{}.Permissions(role)
	if err != nil {
		t.Fatal(err)
	}
	for _, permission := range permissions {
		if permission.Resource != kmsg.ACLResourceTypeTopic {
			continue
		}
		if slices.Contains(permission.Operations, kmsg.ACLOperationRead) {
			reads = append(reads, permission.Name)
		}
		if slices.Contains(permission.Operations, kmsg.ACLOperationWrite) {
			writes = append(writes, permission.Name)
		}
	}
	return reads, writes
}

func TestPermissionsAreWrittenAsKafkaWantsThem(t *testing.T) {
	permissions, err := kafka.Config{TopicPrefix: "millrace."}.Permissions("processor")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, permission := range permissions {
		lines = append(lines, strings.Join(permission.Arguments("User:p"), " "))
	}
	for _, want := range []string{
		"--add --allow-principal User:p --operation Read --topic millrace.events",
		"--add --allow-principal User:p --operation DescribeConfigs --topic millrace.events",
		"--add --allow-principal User:p --operation Write --transactional-id millrace.processor. --resource-pattern-type prefixed",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if _, err := (kafka.Config{}).Permissions("console"); err == nil || !strings.Contains(err.Error(), "dispatcher") {
		t.Errorf("a role that does not come to Kafka: %v", err)
	}
}
