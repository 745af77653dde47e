package schemas_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

func TestDecodeRunReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request, err := json.Marshal(map[string]string{"text": drawText(t)})
		if err != nil {
			t.Fatal(err)
		}
		value := schemas.AppendRun(nil, &schemas.Run{
			Schema: schemas.Version, RunID: drawText(t), Environment: drawText(t), SourceID: drawText(t), Workflow: drawText(t),
			TriggerID: drawText(t), TriggerRevision: rapid.Int64().Draw(t, "revision"), EventID: drawText(t), ReplayID: drawText(t),
			ReceivedAt: drawTime(t), CreatedAt: drawTime(t), Request: request,
		})
		requireDecoded(t, schemas.DecodeRun, value)
	})
}

func TestDecodeDecisionReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDecision(t)
		requireDecoded(t, new(schemas.DecisionDecoder).Decode, schemas.AppendDecision(nil, &d))
	})
}

// One decoder reads many decisions, which share entries; each is as if it were read alone, also once their texts are gone.
func TestDecisionDecoderRemembersEntries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(drawTriggerDecision), 1, 5).Draw(t, "entries")
		var decoder schemas.DecisionDecoder
		for range rapid.IntRange(1, 20).Draw(t, "decisions") {
			d := drawDecision(t)
			d.Triggers = rapid.SliceOf(rapid.SampledFrom(entries)).Draw(t, "triggers")
			value := schemas.AppendDecision(nil, &d)
			requireDecoded(t, decoder.Decode, value)
			clear(value)
		}
	})
}

func TestDecodeDeliveryReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDelivery(t)
		requireDecoded(t, schemas.DecodeDelivery, schemas.AppendDelivery(nil, &d))
	})
}

// FuzzDecodeDelivery compares DecodeDelivery with Decode on whatever lies in the topic.
func FuzzDecodeDelivery(f *testing.F) {
	for _, text := range []string{
		`{"schema":1,"run_id":"r","attempt":1,"outcome":"delivered","latency_ms":1.5,"status_code":200}`,
		`{"schema":1,"latency_ms":1e400}`, `{"schema":1,"latency_ms":null,"status_code":-0}`, `{"schema":1,"attempt":1.0}`, `{"schema":3}`, `[]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) { requireDecoded(t, schemas.DecodeDelivery, value) })
}

// FuzzDecodeRun compares DecodeRun with Decode on whatever lies in the topic.
func FuzzDecodeRun(f *testing.F) {
	for _, text := range []string{
		`{"schema":1,"run_id":"r","workflow":"w","request":{"recipients":["a"]},"received_at":"2026-01-02T03:04:05.678Z"}`,
		`{"schema":1,"RUN_ID":"r","run_id":null,"extra":1}`, `{"schema":2}`, `{"schema":1.0}`, `{"schema":1,"schema":3}`, `[1]`, `null`, ``,
		`{"schema":1,"run_\u0069d":"r"}`, `{"schema":1,"received_at":"2026-01-02T3:04:05Z"}`, `{"schema":1,"received_at":"2026-01-02T03:04:05,5Z"}`, "{\"schema\":1,\"run_id\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) { requireDecoded(t, schemas.DecodeRun, value) })
}

// FuzzDecodeDecision compares DecisionDecoder with Decode on whatever lies in the topic.
func FuzzDecodeDecision(f *testing.F) {
	for _, text := range []string{
		`{"schema":1,"event_id":"e","status":"processed","input":{"partition":1,"offset":2},"triggers":[{"trigger_id":"t","revision":1,"outcome":"matched","run_id":"r"}]}`,
		`{"schema":1,"duplicate_of":{"partition":1,"offset":2},"duplicate_of":{"offset":3},"triggers":null}`, `{"schema":1,"triggers":[],"triggers":[{}]}`,
		`{"schema":1,"input":{"partition":2147483648},"triggers":{}}`, `{"schema":1,"input":{"partition":1},"input":{"offset":1}}`, `{"schema":1,"duplicate_of":null}`,
		`{"schema":1,"triggers":[null,{"reason":"\u0061"},[]]}`, `{"schema":3}`, `[1]`, ``, "{\"schema\":1,\"event\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) { requireDecoded(t, new(schemas.DecisionDecoder).Decode, value) })
}

func requireDecoded[R schemas.Record](t interface{ Fatalf(string, ...any) }, decode func([]byte) (R, error), value []byte) {
	got, err := decode(value)
	want, wantErr := schemas.Decode[R](value)
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\ngot  %+v %v\nwant %+v %v", value, got, err, want, wantErr)
	}
}

// A decision about ten triggers, of which one matched.
func BenchmarkDecodeDecision(b *testing.B) {
	d := schemas.Decision{Schema: schemas.Version, EventID: uuid.NewString(), SourceID: "src_1", Environment: "production", Event: "Order Completed", Status: schemas.Processed}
	for i := range 10 {
		d.Triggers = append(d.Triggers, schemas.TriggerDecision{TriggerID: fmt.Sprint("trg_", i), Revision: 1, Workflow: fmt.Sprint("workflow-", i), Outcome: schemas.ConditionFalse})
	}
	d.Triggers[0].Outcome, d.Triggers[0].RunID = schemas.Matched, uuid.NewString()
	value := schemas.AppendDecision(nil, &d)
	b.ReportAllocs()
	var decoder schemas.DecisionDecoder
	for b.Loop() {
		if _, err := decoder.Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}
