package ingest_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/schemas"
)

// produceKey is the number of Kafka's Produce request.
const produceKey = 0

// requireUnavailable expects a 503 that says when to come again.
func requireUnavailable(t *testing.T, got answer) {
	t.Helper()
	if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); got.status != 503 || got.code != "unavailable" || err != nil || seconds < 1 {
		t.Errorf("answered %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
	}
}

// stall makes the broker hold every write until resume is called; held gets one value for each.
func (w *world) stall() (held <-chan struct{}, resume func()) {
	gate, hit := make(chan struct{}), make(chan struct{}, 1000)
	w.broker.ControlKey(produceKey, func(kmsg.Request) (kmsg.Response, error, bool) {
		w.broker.KeepControl()
		hit <- struct{}{}
		w.broker.SleepControl(func() { <-gate })
		return nil, nil, false
	})
	resume = sync.OnceFunc(func() { close(gate) })
	w.t.Cleanup(resume)
	return hit, resume
}

func TestKafkaThatDoesNotAnswerInTimeIs503AndHeals(t *testing.T) {
	w := newFaultyWorld(t, func(c *ingest.Config) { c.AckTimeout = time.Second })
	endpoint := w.endpoint("production", nil)
	_, resume := w.stall()
	requireUnavailable(t, w.post(endpoint, good))
	resume()
	deadline := time.Now().Add(patience)
	for w.post(endpoint, good).status != 204 {
		if time.Now().After(deadline) {
			t.Fatal("it does not heal")
		}
	}
	// The event that was answered 503 may have been stored: the repeat carries the same key, and dedup drops it.
	for _, record := range w.read(schemas.EventsTopic, 1) {
		if string(record.Value) != good {
			t.Errorf("stored %s", record.Value)
		}
	}
}

func TestKafkaThatIsGoneIs503(t *testing.T) {
	w := newFaultyWorld(t, func(c *ingest.Config) { c.AckTimeout = time.Second })
	endpoint := w.endpoint("production", nil)
	w.broker.Close()
	requireUnavailable(t, w.post(endpoint, good))
}

func TestBeyondTheBoundEventsAreRefusedAtOnce(t *testing.T) {
	bounds := map[string]func(*ingest.Config){
		"in flight": func(c *ingest.Config) { c.MaxInFlight = 1 },
		"bytes":     func(c *ingest.Config) { c.MaxEventBytes, c.BufferBytes = 50, 100 },
	}
	for name, change := range bounds {
		t.Run(name, func(t *testing.T) {
			w := newFaultyWorld(t, func(c *ingest.Config) {
				c.AckTimeout = patience
				change(c)
			})
			endpoint := w.endpoint("production", nil)
			_, resume := w.stall()
			var waiting sync.WaitGroup
			defer waiting.Wait()
			defer resume()
			refused := make(chan answer, 20)
			for range cap(refused) {
				waiting.Go(func() {
					if got := w.post(endpoint, `{"type":"track","event":"A"}`); got.status != 204 {
						refused <- got
					}
				})
			}
			select {
			case got := <-refused:
				requireUnavailable(t, got)
			case <-time.After(patience):
				t.Error("nothing is refused although Kafka holds everything")
			}
		})
	}
}

func TestRefusalOfTheBrokerIs503(t *testing.T) {
	w := newFaultyWorld(t, nil)
	w.broker.ControlKey(produceKey, func(request kmsg.Request) (kmsg.Response, error, bool) {
		w.broker.KeepControl()
		return refusedProduce(request.(*kmsg.ProduceRequest)), nil, true
	})
	requireUnavailable(t, w.post(w.endpoint("production", nil), good))
}

// refusedProduce answers every partition of a write with an error that no repeat mends.
func refusedProduce(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		refused := kmsg.NewProduceResponseTopic()
		refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, kerr.TopicAuthorizationFailed.Code
			refused.Partitions = append(refused.Partitions, p)
		}
		response.Topics = append(response.Topics, refused)
	}
	return response
}
