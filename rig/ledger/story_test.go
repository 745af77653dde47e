package ledger_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// story is what senders, roles and the workflow API say of a few events: what a sound pipeline would, until a test
// changes it. Its event 3 repeats event 0, the workflow API refuses the runs of event 4, and a trigger fails on event 5.
type story struct {
	t            *testing.T
	acknowledged []int64
	events       []*kgo.Record
	decisions    []schemas.Decision
	runs         []schemas.Run
	deliveries   []schemas.Delivery
	dead         []schemas.DeadLetter
	effects      map[string]ledger.Effect

	ids []string // of the events
}

func triggers() []ledger.Trigger {
	trigger := func(id string, matches, fails func(int64) bool) ledger.Trigger {
		return ledger.Trigger{Trigger: schemas.Trigger{ID: id, Workflow: id}, Matches: matches, Fails: fails}
	}
	return []ledger.Trigger{
		trigger("always", func(int64) bool { return true }, nil),
		trigger("odd", func(n int64) bool { return n%2 == 1 }, nil),
		trigger("never", func(int64) bool { return false }, func(n int64) bool { return n == 5 }),
	}
}

func isDead(n int64) bool { return n == 4 }

func newStory(t *testing.T) *story {
	s := &story{t: t, effects: map[string]ledger.Effect{}}
	at := time.Now().UTC().Truncate(time.Millisecond)
	for n := range int64(6) {
		message := n
		if n == 3 {
			message = 0
		}
		id, err := schemas.NewEventID(at)
		if err != nil {
			t.Fatal(err)
		}
		s.ids = append(s.ids, id.String())
		meta := schemas.EventMeta{
			EventID: id.String(), SourceID: "src_app", Environment: "production", Event: "Order",
			MessageID: fmt.Sprintf("m%d", message), ReceivedAt: at,
		}
		s.acknowledged = append(s.acknowledged, n)
		s.events = append(s.events, &kgo.Record{
			Headers: schemas.EventHeaders[kgo.RecordHeader](meta), Timestamp: at,
			Value: fmt.Appendf(nil, `{"type":"track","event":"Order","messageId":"m%d","userId":"u","properties":{"n":%d}}`, message, n),
		})
		s.decide(n, meta)
	}
	return s
}

// decide writes what the roles would about an event.
func (s *story) decide(n int64, meta schemas.EventMeta) {
	decision := schemas.Decision{
		Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
		Status: schemas.Processed, ReceivedAt: meta.ReceivedAt, DecidedAt: meta.ReceivedAt,
		Input: schemas.Position{Offset: n}, Triggers: []schemas.TriggerDecision{},
	}
	if n == 3 {
		decision.Status, decision.DuplicateOf = schemas.Duplicate, &schemas.Position{}
		s.decisions = append(s.decisions, decision)
		return
	}
	for _, trigger := range triggers() {
		entry := schemas.TriggerDecision{TriggerID: trigger.ID, Revision: 1, Workflow: trigger.Workflow, Outcome: schemas.ConditionFalse}
		switch {
		case trigger.Fails != nil && trigger.Fails(n):
			entry.Outcome, decision.Status = schemas.ConditionError, schemas.Failed
		case trigger.Matches(n):
			entry.Outcome, entry.RunID = schemas.Matched, schemas.RunID(trigger.ID, meta.EventID, 0).String()
			s.run(n, meta, entry)
		}
		decision.Triggers = append(decision.Triggers, entry)
	}
	s.decisions = append(s.decisions, decision)
}

func (s *story) run(n int64, meta schemas.EventMeta, made schemas.TriggerDecision) {
	run := schemas.Run{
		Schema: schemas.Version, RunID: made.RunID, Environment: meta.Environment, SourceID: meta.SourceID, Workflow: made.Workflow,
		TriggerID: made.TriggerID, TriggerRevision: 1, EventID: meta.EventID, ReceivedAt: meta.ReceivedAt, CreatedAt: meta.ReceivedAt,
		Request: json.RawMessage(fmt.Sprintf(`{"recipients":["u"],"data":{"n":%d}}`, n)),
	}
	delivery := schemas.Delivery{
		Schema: schemas.Version, RunID: run.RunID, EventID: run.EventID, Environment: run.Environment, Workflow: run.Workflow,
		Attempt: 1, Outcome: schemas.Retrying, AttemptedAt: run.CreatedAt, LatencyMs: 1, StatusCode: 503,
	}
	s.runs = append(s.runs, run)
	s.deliveries = append(s.deliveries, delivery)
	delivery.Attempt, delivery.Outcome, delivery.StatusCode = 2, schemas.Delivered, 200
	if isDead(n) {
		delivery.Outcome, delivery.StatusCode = schemas.Dead, 400
		s.dead = append(s.dead, schemas.DeadLetter{Schema: schemas.Version, Run: run, Last: delivery})
	} else {
		s.effects[run.RunID] = ledger.Effect{Starts: 1, Calls: 1, Body: run.Request}
	}
	s.deliveries = append(s.deliveries, delivery)
}

// runID returns the run of the trigger "always" for an event.
func (s *story) runID(n int64) string { return schemas.RunID("always", s.ids[n], 0).String() }

// effect changes what the workflow API did for that run.
func (s *story) effect(n int64, change func(*ledger.Effect)) {
	effect := s.effects[s.runID(n)]
	change(&effect)
	s.effects[s.runID(n)] = effect
}

// tell writes the story to topics of its own and returns the ledger that is to judge it, for which nothing is late that
// is not there after patience.
func (s *story) tell(options ledger.Options) (*ledger.Ledger, kafka.Config) {
	s.t.Helper()
	cluster := rig.Kafka(s.t)
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 1, ReplicationFactor: 1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.produce(config)
	return s.judge(options, config), config
}

// judge returns a ledger over a story that is told.
func (s *story) judge(options ledger.Options, config kafka.Config) *ledger.Ledger {
	options.Kafka, options.Triggers, options.Dead = config, triggers(), isDead
	options.Effects = func() map[string]ledger.Effect { return s.effects }
	l := ledger.New(options)
	for _, number := range s.acknowledged {
		l.Acknowledge(number)
	}
	return l
}

func (s *story) produce(config kafka.Config) {
	s.t.Helper()
	client, err := kgo.NewClient(config.Options()...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	var all []*kgo.Record
	for _, event := range s.events {
		event.Topic = schemas.EventsTopic
		all = append(all, event)
	}
	all = append(all, encoded(s.t, schemas.DecisionsTopic, s.decisions)...)
	all = append(all, encoded(s.t, schemas.RunsTopic, s.runs)...)
	all = append(all, encoded(s.t, schemas.DeliveriesTopic, s.deliveries)...)
	all = append(all, encoded(s.t, schemas.DeadRunsTopic, s.dead)...)
	for _, record := range all {
		record.Topic = config.Topic(record.Topic)
	}
	if err := client.ProduceSync(s.t.Context(), all...).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

func encoded[R schemas.Record](t *testing.T, topic string, records []R) []*kgo.Record {
	t.Helper()
	var all []*kgo.Record
	for _, record := range records {
		value, err := schemas.Encode(record)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &kgo.Record{Topic: topic, Value: value})
	}
	return all
}
