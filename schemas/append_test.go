package schemas_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/schemas"
)

func drawTime(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "milliseconds")).UTC()
}

func drawPosition(t *rapid.T) schemas.Position {
	return schemas.Position{Partition: rapid.Int32().Draw(t, "partition"), Offset: rapid.Int64().Draw(t, "offset")}
}

func drawText(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.Just(""), rapid.SampledFrom([]string{"\u2028<&>", "\xff", `"\`, "\x00\n"})).Draw(t, "text")
}

func TestAppendDecisionWritesWhatEncodeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDecision(t)
		requireEncoded(t, schemas.AppendDecision(nil, &d), d)
	})
}

func drawDecision(t *rapid.T) schemas.Decision {
	d := schemas.Decision{
		Schema: schemas.Version, EventID: drawText(t), SourceID: drawText(t), Environment: drawText(t), Event: drawText(t), Status: schemas.Failed,
		Reason: drawText(t), ReceivedAt: drawTime(t), DecidedAt: drawTime(t), ReplayID: drawText(t), Input: drawPosition(t),
		Triggers: rapid.SliceOfN(rapid.Custom(drawTriggerDecision), 0, 3).Draw(t, "triggers"),
	}
	if rapid.Bool().Draw(t, "is duplicate") {
		position := drawPosition(t)
		d.DuplicateOf = &position
	}
	return d
}

func drawTriggerDecision(t *rapid.T) schemas.TriggerDecision {
	return schemas.TriggerDecision{
		TriggerID: drawText(t), Revision: rapid.Int64().Draw(t, "revision"), Workflow: drawText(t),
		Outcome: schemas.Matched, Reason: drawText(t), RunID: drawText(t),
	}
}

func TestAppendRunWritesWhatEncodeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request, err := json.Marshal(map[string]string{"text": drawText(t)})
		if err != nil {
			t.Fatal(err)
		}
		r := schemas.Run{
			Schema: schemas.Version, RunID: drawText(t), Environment: drawText(t), SourceID: drawText(t), Workflow: drawText(t),
			TriggerID: drawText(t), TriggerRevision: rapid.Int64().Draw(t, "revision"), EventID: drawText(t), ReplayID: drawText(t),
			ReceivedAt: drawTime(t), CreatedAt: drawTime(t), Request: request,
		}
		requireEncoded(t, schemas.AppendRun(nil, &r), r)
	})
}

func TestAppendDeliveryWritesWhatEncodeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDelivery(t)
		requireEncoded(t, schemas.AppendDelivery(nil, &d), d)
	})
}

func drawDelivery(t *rapid.T) schemas.Delivery {
	took := time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "took"))
	return schemas.Delivery{
		Schema: schemas.Version, RunID: drawText(t), EventID: drawText(t), Environment: drawText(t), Workflow: drawText(t),
		Attempt: rapid.Int().Draw(t, "attempt"), Outcome: schemas.Retrying, AttemptedAt: drawTime(t).Add(took),
		LatencyMs: float64(took) / float64(time.Millisecond), StatusCode: rapid.IntRange(0, 599).Draw(t, "status"),
		Error: drawText(t), Response: drawText(t), WorkflowRunID: drawText(t),
	}
}

func requireEncoded[R schemas.Record](t *rapid.T, got []byte, record R) {
	want, err := schemas.Encode(record)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}
