package doctor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/doctor"
	"github.com/millrace/millrace/kafka"
)

// requireFinding expects a finding of the level whose text and hint have the words, or, with level OK, nothing worse.
func requireFinding(t *testing.T, findings []doctor.Finding, level doctor.Level, words ...string) {
	t.Helper()
	if len(findings) == 0 {
		t.Error("nothing is said")
	}
	if level == doctor.OK && doctor.Worst(findings) != doctor.OK {
		t.Errorf("something is amiss: %+v", findings)
	}
	for _, finding := range findings {
		if finding.Level != doctor.OK && finding.Hint == "" {
			t.Errorf("it does not say what to do: %+v", finding)
		}
	}
	for _, finding := range findings {
		hasAll := finding.Level == level
		for _, word := range words {
			hasAll = hasAll && strings.Contains(finding.Text+" "+finding.Hint, word)
		}
		if hasAll {
			return
		}
	}
	t.Errorf("no %s with %q in %+v", level, words, findings)
}

func TestBrokersAreJudged(t *testing.T) {
	requireFinding(t, doctor.JudgeKafka(doctor.Kafka{Brokers: 3, Versions: []string{"v4.1"}}), doctor.OK, "v4.1")
	requireFinding(t, doctor.JudgeKafka(doctor.Kafka{Brokers: 1, Versions: []string{"v4.1"}}), doctor.Warning, "1 of 3")
	requireFinding(t, doctor.JudgeKafka(doctor.Kafka{Brokers: 3, Versions: []string{"v4.0", "v4.1"}}), doctor.Warning, "different versions")
}

func TestTopicsAreJudged(t *testing.T) {
	sound := map[string]kafka.TopicState{"events": {Exists: true, Replication: 3, Configs: map[string]string{"min.insync.replicas": "2"}}}
	f := func(states map[string]kafka.TopicState, change *kafka.TopicChange, level doctor.Level, words ...string) {
		t.Helper()
		var plan []kafka.TopicChange
		if change != nil {
			plan = append(plan, *change)
		}
		requireFinding(t, doctor.JudgeTopics(13, states, plan, 3), level, words...)
	}
	f(sound, nil, doctor.OK, "all 13")
	f(sound, &kafka.TopicChange{Topic: "runs"}, doctor.Problem, "runs does not exist", "topics apply")
	f(sound, &kafka.TopicChange{Topic: "runs", Key: "retention.ms", From: "1", To: "2"}, doctor.Warning, "is 1 and should be 2", "topics apply")
	f(sound, &kafka.TopicChange{Topic: "runs", Key: "cleanup.policy", Refused: "by hand"}, doctor.Problem, "by hand")
	f(sound, &kafka.TopicChange{Topic: "runs", Key: "retention.ms", Kept: "longer"}, doctor.OK)
	f(map[string]kafka.TopicState{"events": {Exists: true, Replication: 1}}, nil, doctor.Warning, "one replica")
	f(map[string]kafka.TopicState{"events": {Exists: true, Replication: 3, Configs: map[string]string{"min.insync.replicas": "1"}}}, nil, doctor.Warning, "min.insync.replicas is 1")
}

func TestConsumersAreJudged(t *testing.T) {
	f := func(group doctor.Group, level doctor.Level, words ...string) {
		t.Helper()
		group.Name, group.Role = "millrace.processor", "processor"
		requireFinding(t, doctor.JudgeGroups([]doctor.Group{group}), level, words...)
	}
	f(doctor.Group{Members: 2, Lag: 10}, doctor.OK, "lag 10")
	f(doctor.Group{Members: 2, Lag: 1_000_000}, doctor.Warning, "add instances")
	f(doctor.Group{}, doctor.Problem, "nobody reads", "start millrace processor")
	f(doctor.Group{IsOptional: true}, doctor.OK)
	f(doctor.Group{IsOptional: true, Lag: 1}, doctor.Problem, "nobody reads")
	f(doctor.Group{Members: 2, Lost: []string{"events/3 at 5 of 9 to 12"}}, doctor.Problem, "events/3", "reset-offsets")
}

func TestClocksAreJudged(t *testing.T) {
	f := func(ahead, uncertainty time.Duration, level doctor.Level) {
		t.Helper()
		requireFinding(t, []doctor.Finding{doctor.JudgeClock("ClickHouse", ahead, uncertainty)}, level)
	}
	f(time.Second, 0, doctor.OK)
	f(-2*time.Minute, 0, doctor.Problem)
	f(2*time.Minute, time.Second, doctor.Problem)
	f(62*time.Second, 5*time.Second, doctor.OK) // it may be less
	requireFinding(t, []doctor.Finding{doctor.JudgeNewest(-time.Hour)}, doctor.OK)
	requireFinding(t, []doctor.Finding{doctor.JudgeNewest(time.Hour)}, doctor.Problem, "future")
}

func TestClickHouseIsJudged(t *testing.T) {
	f := func(change func(*doctor.ClickHouse), level doctor.Level, words ...string) {
		t.Helper()
		found := doctor.ClickHouse{Version: "26.7.1.1", Free: 1 << 40, HasDatabase: true}
		change(&found)
		requireFinding(t, doctor.JudgeClickHouse(found), level, words...)
	}
	f(func(*doctor.ClickHouse) {}, doctor.OK, "every migration")
	f(func(c *doctor.ClickHouse) { c.Free = 0 }, doctor.OK)
	f(func(c *doctor.ClickHouse) { c.Version = "25.7.9" }, doctor.Problem, "too old")
	f(func(c *doctor.ClickHouse) { c.Version = "24.12.1" }, doctor.Problem, "too old")
	f(func(c *doctor.ClickHouse) { c.Version = "25.8.1" }, doctor.OK)
	f(func(c *doctor.ClickHouse) { c.Version = "head" }, doctor.OK)
	f(func(c *doctor.ClickHouse) { c.Free = 1 << 30 }, doctor.Warning, "1024 MB left")
	f(func(c *doctor.ClickHouse) { c.HasDatabase = false }, doctor.Problem, "millrace migrate")
	f(func(c *doctor.ClickHouse) { c.Pending = []string{"0008_x.sql"} }, doctor.Problem, "0008_x.sql", "millrace migrate")
	f(func(c *doctor.ClickHouse) { c.Edited = []string{"0001_x.sql"} }, doctor.Problem, "0001_x.sql", "rebuild")
	f(func(c *doctor.ClickHouse) { c.Unknown = []string{"0009_x.sql"} }, doctor.Warning, "newer Millrace")
	f(func(c *doctor.ClickHouse) { c.TTLs = []string{"events 30 days, not 7"} }, doctor.Warning, "events 30 days, not 7")
}

func TestCatalogAndWhatItRefersToAreJudged(t *testing.T) {
	one := func(finding doctor.Finding) []doctor.Finding { return []doctor.Finding{finding} }
	requireFinding(t, one(doctor.JudgeCatalog(doctor.Catalog{Environments: 2, Sources: 1})), doctor.OK, "sources 1")
	requireFinding(t, one(doctor.JudgeCatalog(doctor.Catalog{})), doctor.Warning, "millrace api")
	requireFinding(t, one(doctor.JudgeCatalog(doctor.Catalog{Environments: 2, Foreign: []string{"trigger/t"}})), doctor.Problem, "trigger/t", "finish the upgrade")
	f := func(found doctor.WorkflowAPI, level doctor.Level, words ...string) {
		t.Helper()
		found.Environment = "production"
		requireFinding(t, one(doctor.JudgeWorkflowAPI(found)), level, words...)
	}
	f(doctor.WorkflowAPI{URL: "https://api.example", Triggers: 1}, doctor.OK, "api.example")
	f(doctor.WorkflowAPI{}, doctor.OK)
	f(doctor.WorkflowAPI{Triggers: 3}, doctor.Problem, "3 triggers")
	f(doctor.WorkflowAPI{URL: "https://api.example", Err: errors.New("refused")}, doctor.Problem, "refused")
	requireFinding(t, doctor.JudgeSecrets([]doctor.Secret{{Of: "a"}}), doctor.OK, "all 1")
	requireFinding(t, doctor.JudgeSecrets([]doctor.Secret{{Of: "signature of app", Err: errors.New("env:X is not set")}}), doctor.Problem, "signature of app", "env:X")
}

func TestWorstOfFindings(t *testing.T) {
	f := func(want doctor.Level, levels ...doctor.Level) {
		t.Helper()
		var findings []doctor.Finding
		for _, level := range levels {
			findings = append(findings, doctor.Finding{Level: level})
		}
		if got := doctor.Worst(findings); got != want {
			t.Errorf("%v: %s, want %s", levels, got, want)
		}
	}
	f(doctor.OK)
	f(doctor.Warning, doctor.OK, doctor.Warning, doctor.OK)
	f(doctor.Problem, doctor.Warning, doctor.Problem, doctor.OK)
}
