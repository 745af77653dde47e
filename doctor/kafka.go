package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace/millrace/kafka"
)

// Kafka is what the brokers say of themselves.
type Kafka struct {
	Brokers  int
	Versions []string // guessed by what they can do, each once
}

// JudgeKafka tells whether there are brokers enough, of one version.
func JudgeKafka(found Kafka) []Finding {
	const check = "kafka"
	findings := []Finding{fine(check, fmt.Sprintf("brokers answer: %d, version %s", found.Brokers, strings.Join(found.Versions, ", ")))}
	if len(found.Versions) > 1 {
		findings = append(findings, Finding{check, Warning, "the brokers have different versions", "finish the upgrade of the brokers"})
	}
	if found.Brokers < 3 {
		findings = append(findings, Finding{
			check, Warning, fmt.Sprintf("%d of 3 brokers: an event is lost with its disk", found.Brokers),
			"for production have three brokers or more, --kafka-topics-replication-factor=3 and --kafka-topics-min-insync-replicas=2",
		})
	}
	return findings
}

// JudgeTopics goes through a plan, and through what the topics have.
func JudgeTopics(count int, states map[string]kafka.TopicState, plan []kafka.TopicChange, brokers int) []Finding {
	const check = "topics"
	var findings []Finding
	for _, change := range plan {
		step := fmt.Sprintf("%s: %s is %s and should be %s", change.Topic, change.Key, change.From, change.To)
		switch {
		case change.Key == "":
			findings = append(findings, Finding{check, Problem, change.Topic + " does not exist", "millrace topics apply"})
		case change.Kept != "":
		case change.Refused != "":
			findings = append(findings, Finding{check, Problem, step, change.Refused})
		default:
			findings = append(findings, Finding{check, Warning, step, "millrace topics apply"})
		}
	}
	for _, topic := range sortedNames(states) {
		state := states[topic]
		if brokers >= 3 && state.Replication < 2 {
			findings = append(findings, Finding{check, Warning, topic + " has one replica: it is lost with its broker", "give it more with kafka-reassign-partitions"})
		} else if brokers >= 3 && state.Configs["min.insync.replicas"] == "1" {
			findings = append(findings, Finding{
				check, Warning, topic + ": min.insync.replicas is 1, so that an event may be answered 204 while one broker has it",
				"millrace topics apply --kafka-topics-min-insync-replicas=2",
			})
		}
	}
	if len(findings) == 0 {
		return []Finding{fine(check, fmt.Sprintf("all %d are as the settings want them", count))}
	}
	return findings
}

// Group is a consumer group of one of the roles.
type Group struct {
	Name    string
	Role    string // whose it is, as a subcommand
	Members int
	Lag     int64 // records; of a group that has read nothing yet, all there are
	// Lost are partitions whose committed offset Kafka does not have any more, or not yet.
	Lost []string
	// IsOptional says that nothing is amiss when nobody is in it and nothing waits.
	IsOptional bool
}

// maxLag is what a role that keeps up is never behind by, for longer than moments.
const maxLag = 100_000

// JudgeGroups tells whether somebody reads what comes, and keeps up.
func JudgeGroups(groups []Group) []Finding {
	const check = "consumers"
	var findings []Finding
	for _, group := range groups {
		text := fmt.Sprintf("%s: members %d, lag %d records", group.Name, group.Members, group.Lag)
		switch {
		case len(group.Lost) > 0:
			findings = append(findings, Finding{
				check, Problem, group.Name + ": the offset to go on from is not in Kafka: " + strings.Join(group.Lost, ", "),
				"was the topic made anew, or was nobody reading for longer than it keeps records? Those partitions rest until the group's offset is set (kafka-consumer-groups --reset-offsets)",
			})
		case group.Members == 0 && (!group.IsOptional || group.Lag > 0):
			findings = append(findings, Finding{check, Problem, text + ": nobody reads", "start millrace " + group.Role + ", and see in its log why it ended"})
		case group.Lag > maxLag:
			findings = append(findings, Finding{check, Warning, text, "if it grows, add instances of millrace " + group.Role + "; there may be as many as partitions"})
		default:
			findings = append(findings, fine(check, text))
		}
	}
	return findings
}

// maxSkew is how far clocks may differ before something goes wrong: replays by time allow for ten minutes, signatures
// for five; a minute leaves time to mend it.
const maxSkew = time.Minute

// JudgeClock compares a clock with this machine's. Asking took as long as uncertainty.
func JudgeClock(whose string, ahead, uncertainty time.Duration) Finding {
	const check = "clocks"
	text := fmt.Sprintf("%s: %s from this machine's, give or take %s", whose, ahead.Round(time.Millisecond), uncertainty.Round(time.Millisecond))
	if ahead.Abs()-uncertainty > maxSkew {
		return Finding{check, Problem, text, "let NTP set both clocks: dedup windows, signatures and replays go by them"}
	}
	return fine(check, text)
}

// JudgeNewest looks at when the newest event says that it came: ingest's clock stamps it.
func JudgeNewest(ahead time.Duration) Finding {
	const check = "clocks"
	if ahead > maxSkew {
		return Finding{check, Problem, fmt.Sprintf("the newest event came %s from now, in the future", ahead.Round(time.Second)), "let NTP set the clock of whoever runs ingest, or of this machine"}
	}
	return fine(check, "ingest: no event is from the future")
}
