package catalog_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestChangeWhoseAnswerIsLostIsMadeOnce has somebody else end the transaction as it was to be ended, and then tells the
// writer that it was shut out, as a broker does that has committed and whose answer did not arrive.
func TestChangeWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	fake, cluster := rig.Fake(t, kfake.SleepOutOfOrder())
	config := clusterConfig(t, cluster)
	reader, writer := open(t, config)
	other, err := kgo.NewClient(config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var isLost atomic.Bool
	fake.ControlKey(int16(kmsg.EndTxn), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if fake.KeepControl(); isLost.Swap(true) {
			return nil, nil, false
		}
		same := *request.(*kmsg.EndTxnRequest)
		fake.SleepControl(func() {
			if _, err := same.RequestWith(t.Context(), other); err != nil {
				t.Error(err)
			}
		})
		answer := request.ResponseKind().(*kmsg.EndTxnResponse)
		answer.ErrorCode = kerr.InvalidProducerEpoch.Code
		return answer, nil, true
	})
	calls := 0
	err = writer.Change(t.Context(), func(tx *catalog.Tx) error {
		calls++
		_, err := tx.PutSource(schemas.Source{Name: "app"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(reader.Snapshot().Sources()); got != 1 || calls != 1 {
		t.Errorf("%d sources after %d calls", got, calls)
	}
}

// TestChangeThatIsRolledBackIsMadeAgain lets the broker refuse the end of the first transaction.
func TestChangeThatIsRolledBackIsMadeAgain(t *testing.T) {
	fake, cluster := rig.Fake(t)
	config := clusterConfig(t, cluster)
	reader, writer := open(t, config)
	for _, fault := range []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.InvalidProducerEpoch},
		{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.ProducerFenced},
		{Keys: []kmsg.Key{kmsg.Produce}, Topic: config.Topic(schemas.AuditTopic), Err: kerr.InvalidProducerEpoch},
		{Keys: []kmsg.Key{kmsg.Produce}, Topic: config.Topic(schemas.CatalogTopic), Err: kerr.ProducerFenced},
	} {
		before := len(reader.Snapshot().Sources())
		hit := fake.Fault(fault)
		if _, err := writer.CreateSource(t.Context(), schemas.Source{Name: "app" + fault.Err.Message[:1] + string(rune('a'+before))}); err != nil || hit.Hits() != 1 {
			t.Fatalf("%v: %v, %d hits", fault.Err, err, hit.Hits())
		}
		if got := len(reader.Snapshot().Sources()); got != before+1 {
			t.Errorf("%v: %d sources, want %d", fault.Err, got, before+1)
		}
	}
}

func TestChangeThatCannotGetThroughIsRefusedAtOnce(t *testing.T) {
	fake, cluster := rig.Fake(t)
	config := clusterConfig(t, cluster)
	reader, writer := open(t, config)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: config.Topic(schemas.AuditTopic), Err: kerr.TopicAuthorizationFailed})
	if _, err := writer.CreateSource(t.Context(), schemas.Source{Name: "app"}); err == nil {
		t.Error("no error")
	}
	if err := reader.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(reader.Snapshot().Sources()); got != 0 {
		t.Errorf("%d sources: without its audit record a change must not be", got)
	}
}
