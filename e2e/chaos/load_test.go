package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// repeatsOfTen is how many of ten events repeat an earlier one.
const repeatsOfTen = 3

// perSecond is how many events are written. On the embedded broker the test usually runs under the race detector, where
// unpacking each small batch takes milliseconds.
func perSecond() rate.Limit {
	if rig.IsCrashSafe() {
		return 1000
	}
	return 200
}

// load writes events as ingest does until it is stopped.
type load struct {
	client *kgo.Client
	cancel context.CancelFunc
	ended  chan struct{}

	mu           sync.Mutex // guards acknowledged
	acknowledged map[string]bool
}

func (w *world) startLoad(random *rand.Rand) *load {
	w.t.Helper()
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ProducerLinger(2*time.Millisecond))...)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	l := &load{client: client, cancel: cancel, ended: make(chan struct{}), acknowledged: map[string]bool{}}
	w.t.Cleanup(func() { l.stop() })
	go func() {
		defer close(l.ended)
		pace := rate.NewLimiter(perSecond(), 1)
		for number := 0; pace.Wait(ctx) == nil; number++ {
			message := number
			if number > 0 && random.IntN(10) < repeatsOfTen {
				message = random.IntN(number)
			}
			l.write(w, number, message)
		}
	}()
	return l
}

func (l *load) write(w *world, number, message int) {
	meta := schemas.EventMeta{
		EventID: uuid.Must(uuid.NewV7()).String(), SourceID: w.source.ID, Environment: "production", Event: "Order",
		MessageID: fmt.Sprint("m", message), ReceivedAt: time.Now().UTC().Truncate(time.Millisecond),
	}
	key := meta.Key()
	record := &kgo.Record{
		Topic: w.config.Topic(schemas.EventsTopic), Key: key[:], Timestamp: meta.ReceivedAt, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		Value: fmt.Appendf(nil, `{"type":"track","event":"Order","userId":"u%d","properties":{"n":%d}}`, message%100, number),
	}
	l.client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.acknowledged[meta.EventID] = true
		}
	})
}

// stop ends the load and returns the IDs of the events that Kafka acknowledged.
func (l *load) stop() map[string]bool {
	l.cancel()
	<-l.ended
	_ = l.client.Flush(context.Background()) // what fails is not acknowledged
	l.client.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged
}
