package ledger_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// clickhouse is what the tests of the package share: it is set once, before them.
var clickhouse engine.Engine

func TestMain(m *testing.M) {
	engine.Main(m, func(started engine.Engine) { clickhouse = started })
}

// The judge must let pass what is right, and nothing else.
const (
	long  = time.Minute            // for what is right, which is never waited for
	short = 500 * time.Millisecond // for what will never be
)

func TestWhatIsSoundPasses(t *testing.T) {
	l, _ := newStory(t).tell(ledger.Options{Patience: long, ExactlyOnce: true})
	report := l.Check(t)
	report.Finished = 0
	if want := (ledger.Report{Acknowledged: 6, Events: 6, Duplicates: 1, Runs: 7, Dead: 1}); report != want {
		t.Errorf("compared %+v, want %+v", report, want)
	}
}

// fault is something wrong with a story, and a part of what must be said about it.
type fault struct {
	what string
	make func(*story)
	want string
}

func faults() []fault {
	first := func(effect func(*ledger.Effect)) func(*story) { return func(s *story) { s.effect(1, effect) } }
	return []fault{
		{"an acknowledged event is missing", func(s *story) { s.acknowledged = append(s.acknowledged, 6) }, "event 6 was acknowledged and is not in the topic"},
		{"a decision is missing", func(s *story) { s.decisions = s.decisions[:5] }, "event 5 has 0 decisions"},
		{"a decision is doubled", func(s *story) { s.decisions = append(s.decisions, s.decisions[0]) }, "event 0 has 2 decisions"},
		{"a decision is about no event", func(s *story) {
			s.decisions = append(s.decisions, s.decisions[0])
			s.decisions[6].EventID = "nowhere"
		}, "a decision about event nowhere"},
		{"a decision has another place", func(s *story) { s.decisions[1].Input.Offset = 2 }, "event 1: processed"},
		{"a decision leaves out a trigger", func(s *story) { s.decisions[1].Triggers = s.decisions[1].Triggers[:2] }, "event 1: 2 triggers were asked, want 3"},
		{"a decision has another outcome", func(s *story) { s.decisions[1].Triggers[2].Outcome = schemas.Inactive }, "event 1: trigger never of workflow never says \"inactive\""},
		{"a decision names another run", func(s *story) { s.decisions[1].Triggers[0].RunID = s.runID(2) }, "event 1: trigger always of workflow always says \"matched\""},
		{"a failure is not told", func(s *story) { s.decisions[5].Status = schemas.Processed }, "event 5: processed"},
		{"a repeat is processed", func(s *story) {
			s.decisions[3].Status, s.decisions[3].DuplicateOf = schemas.Processed, nil
			s.decisions[3].Triggers = s.decisions[2].Triggers
		}, "event 3: processed"},
		{"a repeat names another first event", func(s *story) { s.decisions[3].DuplicateOf.Offset = 1 }, "event 3: duplicate of &{0 1}, with 0 triggers; want {0 0} and none"},
		{"a first event is called a repeat", func(s *story) {
			s.decisions[1].Status, s.decisions[1].DuplicateOf = schemas.Duplicate, &schemas.Position{}
		}, "event 1: duplicate"},
		{"a run is missing", func(s *story) { s.runs = s.runs[1:] }, "of event 0 is there 0 times"},
		{"a run is doubled", func(s *story) { s.runs = append(s.runs, s.runs[0]) }, "of event 0 is there 2 times"},
		{"a run is not asked for", func(s *story) {
			s.runs = append(s.runs, s.runs[0])
			s.runs[7].RunID = schemas.RunID("odd", s.ids[0], 0).String()
		}, "should not be"},
		{"a run has no end", func(s *story) { s.deliveries = s.deliveries[:len(s.deliveries)-1] }, "1 runs have no end"},
		{"a run is dead that had to be delivered", func(s *story) { s.deliveries[1].Outcome = schemas.Dead }, "of event 0 ended dead, want delivered"},
		{"a run is delivered that had to die", func(s *story) {
			for i := range s.deliveries {
				if s.deliveries[i].Outcome == schemas.Dead {
					s.deliveries[i].Outcome = schemas.Delivered
				}
			}
		}, "of event 4 ended delivered, want dead"},
		{"the workflow API knows nothing of a run", func(s *story) { delete(s.effects, s.runID(1)) }, "0 times"},
		{"a run is started twice", first(func(e *ledger.Effect) { e.Starts = 2 }), "2 times"},
		{"a run comes again with other bytes", first(func(e *ledger.Effect) { e.Changed = 1 }), "saw 1 other bodies"},
		{"a run comes with other bytes than it has", first(func(e *ledger.Effect) { e.Body = []byte("{}") }), "other bytes than run"},
		{"a dead run was started", func(s *story) { s.effect(4, func(e *ledger.Effect) { e.Starts = 1 }) }, "1 times and saw 0 other bodies, want 0"},
		{"the workflow API started what nobody asked for", func(s *story) { s.effects["nowhere"] = ledger.Effect{Starts: 1} }, "started run nowhere"},
	}
}

func TestEachFaultIsReported(t *testing.T) {
	for _, fault := range faults() {
		t.Run(fault.what, func(t *testing.T) {
			story := newStory(t)
			fault.make(story)
			l, _ := story.tell(ledger.Options{Patience: short, ExactlyOnce: true})
			requireProblem(t, l, fault.want)
		})
	}
}

// requireProblem expects at least one problem that reads so.
func requireProblem(t *testing.T, l *ledger.Ledger, want string) {
	t.Helper()
	_, problems, err := l.Problems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(problems, func(problem string) bool { return strings.Contains(problem, want) }) {
		t.Errorf("want %q among %q", want, problems)
	}
}

// Where a crash may write twice, the second time must say the same.
func TestCopiesPassOnlyWhereTheyAreTheSame(t *testing.T) {
	same := newStory(t)
	same.runs = append(same.runs, same.runs...)
	same.decisions = append(same.decisions, same.decisions...)
	same.effect(1, func(e *ledger.Effect) { e.Calls = 2 })
	l, _ := same.tell(ledger.Options{Patience: long})
	if report := l.Check(t); report.Resent != 1 {
		t.Errorf("%d calls came again, want 1", report.Resent)
	}
	other := newStory(t)
	changed := other.runs[0]
	changed.Request = []byte(`{"recipients":["another"]}`)
	other.runs = append(other.runs, changed)
	l, _ = other.tell(ledger.Options{Patience: short})
	requireProblem(t, l, "copies of run "+changed.RunID)
}

// TestFaultsOfClickHouseAreReported damages what an event log has written.
func TestFaultsOfClickHouseAreReported(t *testing.T) {
	damages := map[string]string{
		"DELETE FROM events WHERE offset = 2":                                 "0/2",
		"ALTER TABLE events UPDATE body = concat(body, ' ') WHERE offset = 1": "0/1",
		"DELETE FROM decisions WHERE status = 'duplicate'":                    "duplicate",
		"ALTER TABLE runs UPDATE request = '{}' WHERE trigger_id = 'odd'":     "runs",
		"DELETE FROM deliveries WHERE outcome = 'delivered' AND offset = 1":   "0/1",
		"DELETE FROM dead_letters WHERE 1":                                    "dead_letters",
	}
	for damage, want := range damages {
		t.Run(damage, func(t *testing.T) {
			config := eventlog.Config{
				DSN:   "http://embedded:8123/ledger_" + strings.ToLower(schemas.RunID(damage, "", 0).String()[:8]),
				Flush: eventlog.Flush{Rows: 1000, Bytes: 1 << 20, Inserts: 1, Interval: 100 * time.Millisecond}, DialContext: clickhouse.DialContext,
			}
			options := ledger.Options{Patience: long, ExactlyOnce: true, ClickHouse: config.DSN, DialClickHouse: clickhouse.DialContext}
			story := newStory(t)
			l, kafka := story.tell(options)
			logger := slog.New(slog.DiscardHandler)
			if err := eventlog.Migrate(t.Context(), config, logger); err != nil {
				t.Fatal(err)
			}
			conn, err := eventlog.Connect(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			log, err := eventlog.New(config, kafka, conn, prometheus.NewRegistry(), logger)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- log.Run(ctx) }()
			l.Check(t)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if err := conn.Exec(t.Context(), damage+" SETTINGS mutations_sync = 1, lightweight_deletes_sync = 1"); err != nil {
				t.Fatal(err)
			}
			options.Patience = short
			again := story.judge(options, kafka)
			requireProblem(t, again, want)
		})
	}
}
