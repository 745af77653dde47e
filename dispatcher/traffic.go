package dispatcher

import "github.com/millrace/millrace/schemas"

// traffic is a kind of runs that is read apart from the others, with a consumer group, a client and bounds of its own:
// what piles up in one kind takes no room from the other.
type traffic struct {
	group   string   // name of the consumer group, without the prefix
	topics  []string // on the broker
	divisor int      // of the bounds on outstanding runs
	// isPatient says that its runs wait in memory while their workflow is slow, so that the rest waits in its topic, and
	// do not go into the retry topics to make room.
	isPatient bool
}

// traffic returns the kinds. Runs of replays have a lane of their own; where they meet live runs, at an environment's
// gate, they take what those leave.
func (d *Dispatcher) traffic() []traffic {
	live := traffic{group: "dispatcher", topics: []string{d.kafka.Topic(schemas.RunsTopic)}, divisor: 1}
	for _, tier := range d.config.tiers() {
		live.topics = append(live.topics, d.kafka.Topic(tier.Topic))
	}
	replays := traffic{group: "dispatcher.replay", topics: []string{d.kafka.Topic(schemas.ReplayRunsTopic)}, divisor: 4, isPatient: true}
	return []traffic{live, replays}
}
