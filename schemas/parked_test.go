package schemas_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestWhatIsKnownOfAParkedRunSurvivesItsHeaders(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	f := func(meta schemas.RunMeta, want int) {
		t.Helper()
		headers, err := schemas.RunHeaders[schemas.Header](meta)
		if err != nil {
			t.Fatal(err)
		}
		if len(headers) != want {
			t.Errorf("%d headers, want %d", len(headers), want)
		}
		got, err := schemas.ReadRunMeta(append(headers, schemas.Header{Key: "traceparent", Value: []byte("x")}))
		if err != nil || !reflect.DeepEqual(got, meta) {
			t.Errorf("got %+v, %v; want %+v", got, err, meta)
		}
	}
	f(schemas.RunMeta{}, 0)
	f(schemas.RunMeta{Due: at, Key: "production\x00Ä", Parked: 3, Resent: at.Add(time.Hour), Attempts: []schemas.Attempt{
		{Attempt: 1, AttemptedAt: at, LatencyMs: 1.5, StatusCode: 503, Error: "busy"}, {Attempt: 2, AttemptedAt: at},
	}}, 5)
}

func TestMalformedHeadersOfARunAreNamed(t *testing.T) {
	for _, name := range []string{"due", "parked", "attempts", "resent"} {
		if _, err := schemas.ReadRunMeta([]schemas.Header{{Key: name, Value: []byte("{")}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDeliveryTellsItsOutcomeInAHeader(t *testing.T) {
	f := func(outcome schemas.DeliveryOutcome, want bool) {
		t.Helper()
		if schemas.IsDelivered([]schemas.Header{schemas.DeliveryHeader[schemas.Header](outcome)}) != want {
			t.Errorf("%s: not %t", outcome, want)
		}
	}
	f(schemas.Delivered, true)
	f(schemas.Retrying, false)
	f(schemas.Dead, false)
	if schemas.IsDelivered([]schemas.Header{}) {
		t.Error("a record without the header counts as delivered")
	}
}
