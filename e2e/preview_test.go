package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/millrace/millrace/rig"
)

// answer is what a preview says.
type answer struct {
	Event    object
	Triggers []struct {
		TriggerID  string `json:"trigger_id"`
		Status     string
		Outcome    string
		Reason     string
		Request    object
		Recipients []any
		Errors     []object
		Warnings   []object
		Last       *struct {
			Events  int
			Counts  map[string]int
			Samples []object
		}
	}
}

func (s *shop) preview(in object) answer {
	s.t.Helper()
	var out answer
	s.Call(http.MethodPost, "/api/v1/triggers/preview", http.StatusOK, in, &out)
	if len(out.Triggers) == 0 {
		s.t.Fatalf("%v: no trigger in the answer", in)
	}
	return out
}

func TestPreviewSaysWhatWouldHappenAndDoesNothing(t *testing.T) {
	s := newShop(t)
	small := s.post(`{"type":"track","event":"Order Completed","userId":"u-1","properties":{"total":10,"items":[{"sku":"A"}]}}`)
	large := s.post(`{"type":"track","event":"Order Completed","userId":"u-2","properties":{"total":500.10,"items":[{"sku":"B"}]},"context":{"locale":"de"}}`)
	draft := object{"condition": "data.total > 100", "workflow": "order-confirmation", "mapping": object{"data": object{"sku": "data.items.0.sku", "total": "data.total"}}}

	got := s.preview(object{"trigger": draft, "event_id": large})
	first := got.Triggers[0]
	if first.Outcome != "matched" || fmt.Sprint(first.Recipients) != "[u-2]" || fmt.Sprint(first.Request["data"]) != "map[sku:B total:500.1]" ||
		len(first.Errors)+len(first.Warnings) != 0 || got.Event["id"] != large || got.Event["source_id"] != s.sourceID {
		t.Errorf("got %+v", got)
	}
	if got := s.preview(object{"trigger": draft, "event_id": small}).Triggers[0]; got.Outcome != "condition_false" || got.Request != nil {
		t.Errorf("got %+v", got)
	}
	given := object{"type": "track", "event": "Order Completed", "properties": object{"total": 101}}
	if got := s.preview(object{"trigger": draft, "event": given, "environment": "production", "source": "shop"}).Triggers[0]; got.Outcome != "mapping_error" ||
		got.Reason != "recipients: user_id is missing; a run needs at least one recipient" {
		t.Errorf("got %+v", got)
	}
	last := s.preview(object{"trigger": object{"condition": "data.total > 100", "event": "Order Completed", "environment": "production", "source_id": "shop"}}).Triggers[0].Last
	if last == nil || last.Events != 2 || last.Counts["matched"] != 1 || last.Counts["condition_false"] != 1 || len(last.Samples) != 2 ||
		last.Samples[0]["event_id"] != large || last.Samples[0]["outcome"] != "matched" || last.Samples[0]["request"] == nil {
		t.Errorf("got %+v", last)
	}
	if runs, err := rig.All[runItem](s.Pipeline, "/api/v1/runs", url.Values{"source": {"shop"}}); err != nil || len(runs) != 0 {
		t.Errorf("%d runs, %v, after previews only", len(runs), err)
	}
}

func TestPreviewDecidesAsTheProcessorDoes(t *testing.T) {
	s := newShop(t)
	all := s.create(object{"event": "*", "workflow": "all"})
	named := s.create(object{"event": "Signed Up", "workflow": "welcome", "condition": `data.plan == "pro"`})
	s.create(object{"event": "Other", "workflow": "other"})
	draft := s.create(object{"event": "Signed Up", "workflow": "draft", "status": "inactive"})
	id := s.post(`{"type":"track","event":"Signed Up","userId":"u-1","properties":{"plan":"free"}}`)

	previewed := map[string]string{}
	for _, trigger := range s.preview(object{"event_id": id}).Triggers {
		previewed[trigger.TriggerID] = trigger.Outcome
		if trigger.TriggerID == draft && (len(trigger.Warnings) != 1 || trigger.Warnings[0]["field"] != "status") {
			t.Errorf("the draft has the warnings %v", trigger.Warnings)
		}
	}
	if len(previewed) != 3 || previewed[all] != "matched" || previewed[named] != "condition_false" || previewed[draft] != "matched" {
		t.Errorf("got %v", previewed)
	}
	s.Eventually("the event is decided on as previewed", func() error {
		var detail struct {
			Decision *struct {
				Triggers []struct {
					TriggerID string `json:"trigger_id"`
					Outcome   string
				}
			}
		}
		if err := s.TryCall(http.MethodGet, "/api/v1/events/"+id, http.StatusOK, nil, &detail); err != nil || detail.Decision == nil {
			return fmt.Errorf("no decision: %w", err)
		}
		for _, decided := range detail.Decision.Triggers {
			if decided.TriggerID != draft && decided.Outcome != previewed[decided.TriggerID] {
				return fmt.Errorf("%s: decided %s, previewed %s", decided.TriggerID, decided.Outcome, previewed[decided.TriggerID])
			}
		}
		return nil
	})
	var run struct {
		Items []struct{ Data, Recipients any }
	}
	s.Eventually("the run is as previewed", func() error {
		request := s.preview(object{"event_id": id, "trigger_id": all}).Triggers[0].Request
		if err := s.TryCall(http.MethodGet, "/api/v1/runs?workflow=all&event_id="+id, http.StatusOK, nil, &run); err != nil || len(run.Items) != 1 {
			return fmt.Errorf("%d runs: %w", len(run.Items), err)
		}
		if fmt.Sprint(run.Items[0].Data, run.Items[0].Recipients) != fmt.Sprint(request["data"], request["recipients"]) {
			return fmt.Errorf("previewed %v, ran %v", request, run.Items[0])
		}
		return nil
	})
	if got := s.preview(object{"event": object{"type": "track", "event": "Other"}, "trigger_id": named}).Triggers[0]; got.Outcome != "not_bound" ||
		!strings.Contains(got.Reason, `bound to event "Signed Up"`) {
		t.Errorf("got %+v", got)
	}
}

func TestPreviewPointsAtErrorsAndAtPathsThatEventsDoNotHave(t *testing.T) {
	s := newShop(t)
	id := s.post(`{"type":"track","event":"Order Completed","userId":"u-1","properties":{"total":10}}`)
	got := s.preview(object{"event_id": id, "trigger": object{"condition": "true &&\n data.totl > 1", "mapping": object{"tenant": "context.org"}}}).Triggers[0]
	want := `[map[column:2 field:condition line:2 message:data.totl is not in the last event; did you mean data.total? suggestion:data.total]` +
		` map[column:1 field:mapping.tenant line:1 message:context.org is not in the last event]]`
	if got.Outcome != "condition_false" || fmt.Sprint(got.Warnings) != want {
		t.Errorf("got %+v\nwant %s", got, want)
	}
	got = s.preview(object{"trigger": object{"event": "order complted", "environment": "production", "source_id": "shop"}}).Triggers[0]
	want = `[map[field:event message:no event "order complted" of this source is in the log of production; did you mean "Order Completed"? suggestion:Order Completed]]`
	if got.Last == nil || got.Last.Events != 0 || fmt.Sprint(got.Warnings) != want {
		t.Errorf("got %+v\nwant %s", got, want)
	}
	got = s.preview(object{"event_id": id, "trigger": object{"condition": "dta.total > 1", "mapping": object{"recipients": 7}}}).Triggers[0]
	if got.Outcome != "condition_error" || len(got.Errors) != 2 || got.Errors[0]["field"] != "condition" || got.Errors[0]["line"] != 1.0 ||
		got.Errors[0]["column"] != 1.0 || got.Errors[0]["suggestion"] != "data" || got.Errors[1]["field"] != "mapping.recipients" {
		t.Errorf("got %+v", got)
	}
}

func TestPreviewRefusesWhatItCannotAnswer(t *testing.T) {
	s := newShop(t)
	id := s.post(`{"type":"track","event":"A"}`)
	track := object{"type": "track", "event": "A"}
	f := func(in object, status int, code, field string) {
		t.Helper()
		s.refused(http.MethodPost, "/api/v1/triggers/preview", in, status, code, field)
	}
	bound := func(more object) object {
		in := object{"trigger": object{}, "environment": "production", "source": "shop"}
		for name, value := range more {
			in[name] = value
		}
		return in
	}
	f(object{}, 422, "invalid", "trigger")
	f(bound(object{"event": object{"type": "track", "event": ""}}), 422, "invalid_event", "event.event")
	f(bound(object{"event": object{"type": "track", "event": "A", "userId": 7}}), 422, "invalid_event", "event.userId")
	f(bound(object{"event": object{"type": "page"}}), 422, "unsupported_type", "event.type")
	f(bound(object{"event": []object{track}}), 422, "batch_not_supported", "event")
	f(bound(object{"event": track, "event_id": id}), 422, "invalid", "event_id")
	f(bound(object{"event": track, "trigger_id": "trg_1"}), 422, "invalid", "trigger_id")
	f(bound(object{"last": 101}), 422, "invalid", "last")
	f(bound(object{"last": 5}), 422, "invalid", "trigger.event")
	f(bound(object{"event": track, "environment": "staging"}), 422, "invalid", "environment")
	f(bound(object{"event": track, "source": "nobody"}), 422, "invalid", "source")
	f(bound(object{"event_id": id, "environment": "development"}), 422, "invalid", "environment")
	f(bound(object{"event_id": "7"}), 422, "invalid", "event_id")
	f(bound(object{"event_id": uuid.NewString()}), 404, "not_found", "")
	f(object{"trigger": object{}, "event": track, "source": "shop"}, 422, "invalid", "environment")
	f(object{"trigger": object{}, "event": track, "environment": "production"}, 422, "invalid", "source")
	f(object{"trigger": object{"source_id": "nobody"}, "event_id": id}, 422, "invalid", "trigger.source_id")
	f(object{"trigger": object{"status": "on"}, "event_id": id}, 422, "invalid", "trigger.status")
	f(object{"trigger_id": "trg_1", "event_id": id}, 404, "not_found", "")
	f(object{"event_id": id, "last": 5}, 422, "invalid", "last")
	f(object{"event_id": id, "trigger": object{"condition": strings.Repeat("x", 1<<20)}}, 413, "too_large", "")
}
