package processor

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// windowWatch tells people about dedup windows that reach further back than Kafka keeps events: while the dedup index is
// there, repeats are recognised all the same, but when it is lost it cannot be made anew in full. The processor goes on,
// because to stop would do more harm.
type windowWatch struct {
	kafka   kafka.Config
	catalog *catalog.Reader
	logger  *slog.Logger

	longest   time.Duration // the longest window when retention was asked for
	retention time.Duration // of the events topic

	mu     sync.Mutex
	beyond []longWindow // guarded by mu
}

// longWindow is an endpoint whose window is longer than events are kept.
type longWindow struct {
	source, environment string
	window, retention   time.Duration
}

func (l longWindow) String() string {
	return fmt.Sprintf("the dedup window of source %s in %s is %s, but Kafka keeps events for %s: should the dedup index be lost, older repeats will not be recognised; "+
		"raise retention.ms of the events topic to at least %s or shorten the window", l.source, l.environment, l.window, l.retention, l.window+clockSkew)
}

// run looks at start and whenever the catalog changes, until ctx ends.
func (w *windowWatch) run(ctx context.Context) {
	for {
		changed := w.catalog.Changed()
		again := w.look(ctx)
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// look compares all windows with the retention, which it asks for when the longest window is another one. It returns
// when to look again at the latest, if it has to.
func (w *windowWatch) look(ctx context.Context) <-chan time.Time {
	snapshot := w.catalog.Snapshot()
	if longest := longestWindow(snapshot); longest != w.longest {
		retention, err := eventsRetention(ctx, w.kafka)
		if err != nil {
			if ctx.Err() == nil {
				w.logger.Warn("cannot tell whether Kafka keeps events as long as dedup windows are", "error", err)
			}
			return time.After(time.Minute)
		}
		w.longest, w.retention = longest, retention
	}
	w.warn(longWindows(snapshot, w.retention))
	return nil
}

// warn notes what is beyond now and logs what was not before.
func (w *windowWatch) warn(beyond []longWindow) {
	w.mu.Lock()
	before := w.beyond
	w.beyond = beyond
	w.mu.Unlock()
	for _, l := range beyond {
		if !slices.Contains(before, l) {
			w.logger.Warn("a dedup window is longer than Kafka keeps events", "source", l.source, "environment", l.environment,
				"window", l.window, "retention", l.retention, "what_to_do", l.String())
		}
	}
}

// warnings returns what people should know. It may be called from any goroutine.
func (w *windowWatch) warnings() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var warnings []string
	for _, l := range w.beyond {
		warnings = append(warnings, l.String())
	}
	return warnings
}

// longWindows lists the endpoints whose window, with the clocks' skew, is longer than events are kept.
func longWindows(snapshot *catalog.Snapshot, retention time.Duration) []longWindow {
	var beyond []longWindow
	for _, source := range snapshot.Sources() {
		for environment, endpoint := range source.Endpoints {
			if window := time.Duration(endpoint.DedupWindow); window > 0 && window+clockSkew > retention {
				beyond = append(beyond, longWindow{source.Name, environment, window, retention})
			}
		}
	}
	slices.SortFunc(beyond, func(a, b longWindow) int {
		return slices.Compare([]string{a.source, a.environment}, []string{b.source, b.environment})
	})
	return beyond
}

// eventsRetention asks how long the topic keeps events by time; a limit by size may cut them off earlier.
func eventsRetention(ctx context.Context, config kafka.Config) (time.Duration, error) {
	client, err := kgo.NewClient(config.Options()...)
	if err != nil {
		return 0, fmt.Errorf("connecting to ask for the retention of events: %w", err)
	}
	defer client.Close()
	topic := config.Topic(schemas.EventsTopic)
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("asking for the retention of %s: %w", topic, err)
	}
	answer, err := configs.On(topic, nil)
	if err == nil {
		err = answer.Err
	}
	if err != nil {
		return 0, fmt.Errorf("asking for the retention of %s: %w", topic, err)
	}
	for _, entry := range answer.Configs {
		if entry.Key == "retention.ms" {
			return parseRetention(entry.MaybeValue())
		}
	}
	return 0, fmt.Errorf("asking for the retention of %s: the broker names none", topic)
}

func parseRetention(milliseconds string) (time.Duration, error) {
	ms, err := strconv.ParseInt(milliseconds, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading a topic's retention.ms: %w", err)
	}
	const forever = time.Duration(math.MaxInt64)
	if ms < 0 || ms > forever.Milliseconds() {
		return forever, nil
	}
	return time.Duration(ms) * time.Millisecond, nil
}
