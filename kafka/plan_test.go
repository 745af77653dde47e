package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// planned returns what is planned for the topics as the broker has them.
func planned(t *testing.T, c kafka.Config, admin *kadm.Client, addPartitions bool) []kafka.TopicChange {
	t.Helper()
	states, err := c.TopicStates(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	return c.PlanTopics(states, addPartitions)
}

func admin(t *testing.T, c kafka.Config) *kadm.Client {
	t.Helper()
	admin, err := c.Admin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return admin
}

func TestPlanOfNothingCreatesEveryTopicAndAppliedLeavesNothingToDo(t *testing.T) {
	c := config(rig.Kafka(t))
	admin := admin(t, c)
	plan := planned(t, c, admin, false)
	if len(plan) != len(schemas.Topics()) {
		t.Errorf("%d steps for %d topics: %+v", len(plan), len(schemas.Topics()), plan)
	}
	if err := c.ApplyTopics(t.Context(), admin, plan); err != nil {
		t.Fatal(err)
	}
	requireSettled(t, c, admin)
}

// requireSettled expects that nothing is left to do. The brokers hear of new topics and partitions one after the other.
func requireSettled(t *testing.T, c kafka.Config, admin *kadm.Client) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		plan := planned(t, c, admin, false)
		if len(plan) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still to do: %+v", plan)
		}
	}
}

func TestWhatIsLongerIsSetAndWhatIsShorterIsKept(t *testing.T) {
	c := config(rig.Kafka(t))
	admin := admin(t, c)
	if err := c.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	longer := c
	longer.Topics.Retention, longer.Topics.MinInsyncReplicas = 100*time.Hour, 2
	plan := planned(t, longer, admin, false)
	for _, change := range plan {
		if !change.IsStep() || change.Key != "retention.ms" && change.Key != "min.insync.replicas" {
			t.Errorf("planned: %+v", change)
		}
	}
	if err := longer.ApplyTopics(t.Context(), admin, plan); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, longer, admin, false); len(plan) > 0 {
		t.Errorf("still to do: %+v", plan)
	}
	back := planned(t, c, admin, true)
	if len(back) == 0 {
		t.Error("it does not see that there is more than is wanted")
	}
	for _, change := range back {
		if change.Kept == "" {
			t.Errorf("planned: %+v", change)
		}
	}
	if err := c.ApplyTopics(t.Context(), admin, back); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, longer, admin, false); len(plan) > 0 {
		t.Errorf("what was to be kept is gone: %+v", plan)
	}
}

func TestPartitionsAreAddedOnlyWhenItIsAskedFor(t *testing.T) {
	c := config(rig.Kafka(t))
	admin := admin(t, c)
	if err := c.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	more := c
	more.Topics.Partitions = 5
	refused := planned(t, more, admin, false)
	if len(refused) == 0 || refused[0].Key != kafka.PartitionsKey || !strings.Contains(refused[0].Refused, "--add-partitions") {
		t.Fatalf("planned: %+v", refused)
	}
	if err := more.ApplyTopics(t.Context(), admin, refused); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, c, admin, false); len(plan) > 0 {
		t.Errorf("partitions were added all the same: %+v", plan)
	}
	if err := more.ApplyTopics(t.Context(), admin, planned(t, more, admin, true)); err != nil {
		t.Fatal(err)
	}
	requireSettled(t, more, admin)
}

func TestPlanRefusesWhatWouldLoseRecordsOrOrder(t *testing.T) {
	c := config(rig.Cluster{Brokers: []string{"a:1"}, TopicPrefix: "x."})
	states := func(change func(events, catalog *kafka.TopicState)) map[string]kafka.TopicState {
		all := map[string]kafka.TopicState{}
		for _, topic := range schemas.Topics() {
			partitions := c.Topics.Partitions
			if topic.Partitions > 0 {
				partitions = topic.Partitions
			}
			all["x."+topic.Name] = kafka.TopicState{Exists: true, Partitions: partitions, Replication: 3, Configs: map[string]string{
				"cleanup.policy": string(topic.Kind), "min.insync.replicas": "1", "retention.bytes": "-1", "retention.ms": "-1",
			}}
		}
		events, catalog := all["x.events"], all["x.catalog"]
		change(&events, &catalog)
		all["x.events"], all["x.catalog"] = events, catalog
		return all
	}
	f := func(change func(events, catalog *kafka.TopicState), key, why string) {
		t.Helper()
		for _, got := range c.PlanTopics(states(change), true) {
			if got.Key == key && strings.Contains(got.Refused, why) {
				return
			}
		}
		t.Errorf("no refusal of %s with %q", key, why)
	}
	f(func(_, catalog *kafka.TopicState) { catalog.Configs["cleanup.policy"] = "delete" }, "cleanup.policy", "lost")
	f(func(events, _ *kafka.TopicState) { events.Configs["cleanup.policy"] = "compact" }, "cleanup.policy", "lost")
	f(func(_, catalog *kafka.TopicState) { catalog.Partitions = 3 }, "partitions", "total order")
	c.Topics.ReplicationFactor = 3
	f(func(events, _ *kafka.TopicState) { events.Replication = 1 }, "replication", "kafka-reassign-partitions")
	for _, change := range c.PlanTopics(states(func(_, _ *kafka.TopicState) {}), true) {
		if change.Kept == "" || change.Key != "retention.ms" {
			t.Errorf("unlimited retention: planned %+v", change)
		}
	}
}
