package ingest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// A sender that is told 404 gives the event up. One that is told 503 sends it again, until an ingest takes it that knows
// the endpoint.
func TestEndpointThatANewerVersionMadeIsNotDenied(t *testing.T) {
	w := newWorld(t, nil)
	known := w.endpoint("production", nil)
	unknown := w.url + "/v1/receive/ek_of_the_future"
	if got := w.post(unknown, good); got.status != 404 {
		t.Fatalf("%+v", got)
	}
	client, err := kgo.NewClient(w.kafka.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	record := &kgo.Record{Topic: w.kafka.Topic(schemas.CatalogTopic), Key: []byte("source/src_newer"), Value: []byte(`{"schema":2,"source":{"id":"src_newer"}}`)}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); w.post(unknown, good).status == 404; {
		if time.Now().After(deadline) {
			t.Fatal("it is denied")
		}
	}
	requireUnavailable(t, w.post(unknown, good))
	if got := w.post(known, good); got.status != 204 {
		t.Errorf("an endpoint that is known does not go on: %+v", got)
	}
	state := w.role.Readiness(t.Context())
	if !state.Ready || len(state.Warnings) != 1 || !strings.Contains(state.Warnings[0], "source/src_newer") {
		t.Errorf("%+v", state)
	}
}
