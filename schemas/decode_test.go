package schemas_test

import (
	"encoding/json"
	"reflect"
	"testing"

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
		requireDecoded(t, value)
	})
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
	f.Fuzz(func(t *testing.T, value []byte) { requireDecoded(t, value) })
}

func requireDecoded(t interface{ Fatalf(string, ...any) }, value []byte) {
	got, err := schemas.DecodeRun(value)
	want, wantErr := schemas.Decode[schemas.Run](value)
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\ngot  %+v %v\nwant %+v %v", value, got, err, want, wantErr)
	}
}
