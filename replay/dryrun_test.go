package replay_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/schemas"
)

// everywhere tells how many records there are in each of the topics of the test: others may use the broker, too.
func (w *world) everywhere() map[string]int64 {
	w.tb.Helper()
	ends, err := w.admin.ListEndOffsets(w.tb.Context())
	if err != nil {
		w.tb.Fatal(err)
	}
	sums := map[string]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if strings.HasPrefix(end.Topic, w.config.TopicPrefix) {
			sums[end.Topic] += end.Offset
		}
	})
	return sums
}

// groups returns the names of the test's consumer groups: others may use the broker, too.
func (w *world) groups() []string {
	w.tb.Helper()
	listed, err := w.admin.ListGroups(w.tb.Context())
	if err != nil {
		w.tb.Fatal(err)
	}
	return slices.DeleteFunc(listed.Groups(), func(name string) bool { return !strings.HasPrefix(name, w.config.TopicPrefix) })
}

func (w *world) dryRun(r schemas.Replay) schemas.ReplayPreview {
	w.tb.Helper()
	checked, err := w.reader.Snapshot().CheckReplay(r, time.Now())
	if err != nil {
		w.tb.Fatal(err)
	}
	var last schemas.ReplayProgress
	preview, err := replay.DryRun(w.tb.Context(), w.config, w.log, checked, func(p schemas.ReplayProgress) { last = p })
	if err != nil {
		w.tb.Fatal(err)
	}
	if last.Done != last.Total || last.Errors == nil || last.Read != preview.Read {
		w.tb.Errorf("told %+v last", last)
	}
	return preview
}

func TestDryRunTellsWhatWouldChangeAndWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live, err := w.writer.CreateTrigger(t.Context(), schemas.Trigger{
		Environment: "production", SourceID: w.source.ID, Event: "Order", Workflow: "big-order", Condition: "data.total > 100",
		Mapping: schemas.Mapping{
			Tenant: []byte(`{"expr": "data.total == 150 ? 1 : \"acme\""}`),
			Data:   map[string]json.RawMessage{"total": json.RawMessage(`"data.total"`)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.send(orders(200)...)
	w.decided()
	w.deleteBefore(w.lows(func(partition int32) float64 { return float64(partition) / 2 }))
	before := w.everywhere()
	groups := w.groups()
	changed := live
	changed.Condition = "data.total > 80 && data.total < 190"
	changed.Mapping.Tenant = []byte(`{"expr": "data.total == 90 ? 1 : \"acme\""}`)
	changed.Mapping.Data = map[string]json.RawMessage{"total": []byte(`{"expr": "data.total > 120 ? -1 : data.total"}`)}
	draft := schemas.Trigger{Event: "Order", Workflow: "draft", Condition: "data.total < 30"}
	preview := w.dryRun(w.wanted(func(r *schemas.Replay) { r.Triggers = []schemas.Trigger{changed, draft} }))
	// Then: 101 to 199 but for 150, which failed. Now: 81 to 189 but for 90.
	want := schemas.ReplayDiff{
		TriggerID: live.ID, NewlyMatched: 20 - 1 + 1, Same: 20, Changed: 189 - 120 - 1, NoLonger: 10, FailedThen: 1, FailsNow: 1,
	}
	if preview.Diff[0] != want {
		t.Errorf("%+v\nwant %+v", preview.Diff[0], want)
	}
	if preview.Diff[1].NewlyMatched != 30 || preview.Diff[1].Same != 0 {
		t.Errorf("%+v", preview.Diff[1])
	}
	if preview.Read != 200 || preview.Matched != 200 || preview.Existed != 88 || preview.Created != 20+30 || len(preview.Errors) != 1 {
		t.Errorf("%+v", preview.ReplayProgress)
	}
	if len(preview.Samples) != schemas.MaxReplaySamples {
		t.Errorf("%d samples", len(preview.Samples))
	}
	for _, sample := range preview.Samples {
		if sample.RunID == "" || sample.EventID == "" || sample.Request == "" || sample.TriggerID == "" {
			t.Fatalf("%+v", sample)
		}
	}
	for topic, count := range w.everywhere() {
		if count != before[topic] {
			t.Errorf("%s has %d records, and had %d before", topic, count, before[topic])
		}
	}
	if after := w.groups(); !slices.Equal(after, groups) {
		t.Errorf("groups %q, before %q", after, groups)
	}
	// The replay does what the dry run has told.
	w.role(nil)
	r := w.completes(w.wanted(func(r *schemas.Replay) { r.Triggers = []schemas.Trigger{changed, draft} }))
	if r.Result.Created != preview.Created || r.Result.Existed != preview.Existed || r.Result.Matched != preview.Matched {
		t.Errorf("the dry run told %+v, the replay %+v", preview.ReplayProgress, r.Result)
	}
}
