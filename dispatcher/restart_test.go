package dispatcher_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/schemas"
)

func TestRestartGoesOnAtTheCommittedOffsetAndSkipsNothing(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, func(c call) reply {
		if c.key == "r5" && !healthy.Load() {
			return reply{status: 503}
		}
		return ok()
	})
	for i := range 10 {
		p.write(0, fmt.Sprint(i), newRun(fmt.Sprint("r", i)))
	}
	stop := p.run(quick())
	p.eventually("all but r5 delivered", func() bool {
		return len(p.api.calls("r9")) == 1 && len(p.api.calls("r8")) == 1 && len(p.api.calls("r5")) > 1
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if at := p.committed()[0]; at != 5 {
		t.Fatalf("committed at %d, want 5", at)
	}
	healthy.Store(true)
	p.write(0, "10", newRun("r10"))
	p.run(quick())
	p.waitCommitted(0, 11)
	for i := range 11 {
		calls := p.api.calls(fmt.Sprint("r", i))
		if len(calls) == 0 || i < 5 && len(calls) != 1 {
			t.Errorf("r%d was sent %d times", i, len(calls))
		}
	}
}

func TestShutdownFinishesCallsInFlightAndStartsNone(t *testing.T) {
	release := make(chan struct{})
	p := newPipeline(t, 1, func(c call) reply {
		select {
		case <-release:
		case <-c.gone:
		}
		return ok()
	})
	config := quick()
	config.Concurrency = 2
	config.DrainTimeout = patience
	for i := range 6 {
		p.write(0, fmt.Sprint(i/2), newRun(fmt.Sprint("r", i)))
	}
	stop := p.run(config)
	p.eventually("two calls", func() bool { return len(p.api.calls("")) == 2 })
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	p.eventually("the drain", func() bool { return strings.Contains(p.log.String(), "no new call starts") })
	close(release)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	calls := p.api.calls("")
	if len(calls) != 2 {
		t.Fatalf("%d calls, want 2", len(calls))
	}
	deliveries := p.deliveries(2)
	var done int64
	for done < 6 && len(deliveries[fmt.Sprint("r", done)]) == 1 {
		done++
	}
	if at := p.committed()[0]; at != done {
		t.Errorf("committed at %d, but the first %d runs are done", at, done)
	}
	p.run(quick())
	p.waitCommitted(0, 6)
	if n := len(p.api.calls("")); n > 8 {
		t.Errorf("%d calls for 6 runs", n)
	}
}

func TestCallThatOutlastsTheDrainIsCutOffAndSentAgain(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth == 1 {
			<-c.gone
		}
		return ok()
	})
	config := quick()
	config.Timeout, config.DrainTimeout = time.Minute, 20*time.Millisecond
	p.write(0, "k", newRun("r1"))
	stop := p.run(config)
	p.eventually("a call", func() bool { return len(p.api.calls("r1")) == 1 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.run(quick())
	if got := p.deliveries(1)["r1"]; len(got) != 1 || got[0].Outcome != schemas.Delivered {
		t.Errorf("deliveries are %+v", got)
	}
	p.waitCommitted(0, 1)
}

func TestNothingIsCommittedBeforeKafkaHasTheDeliveryRecord(t *testing.T) {
	p := newFaultyPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r1"))
	asked, allow := make(chan struct{}, 1), make(chan struct{})
	p.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		asked <- struct{}{}
		p.cluster.SleepControl(func() { <-allow })
		return nil, nil, false
	})
	p.run(quick())
	<-asked
	p.letTimePass()
	if at, exists := p.committed()[0]; exists && at > 0 {
		t.Errorf("committed at %d without a delivery record", at)
	}
	close(allow)
	p.waitCommitted(0, 1)
	if n := len(p.api.calls("r1")); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestBrokerThatCannotWriteIsWaitedFor has a broker that answers as one does whose disk is full.
func TestBrokerThatCannotWriteIsWaitedFor(t *testing.T) {
	p := newFaultyPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r1"))
	var isFull atomic.Bool
	isFull.Store(true)
	p.cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		p.cluster.KeepControl()
		if !isFull.Load() {
			return nil, nil, false
		}
		return refusedProduce(request.(*kmsg.ProduceRequest), kerr.UnknownServerError.Code), nil, true
	})
	p.run(quick())
	p.eventually("it says that it waits", func() bool { return strings.Contains(p.log.String(), "no run is dispatched for now") })
	if at, exists := p.committed()[0]; exists && at > 0 {
		t.Errorf("committed at %d without a delivery record", at)
	}
	isFull.Store(false)
	p.waitCommitted(0, 1)
}

func TestDeliveryRecordThatKafkaNeverTakesEndsTheRole(t *testing.T) {
	p := newFaultyPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r1"))
	p.cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		p.cluster.KeepControl()
		return refusedProduce(request.(*kmsg.ProduceRequest), kerr.TopicAuthorizationFailed.Code), nil, true
	})
	stop := p.run(quick())
	p.eventually("the end of the role", func() bool { return strings.Contains(p.log.String(), "no new call starts") })
	if err := stop(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("Run returned %v", err)
	}
	if at, exists := p.committed()[0]; exists && at > 0 {
		t.Errorf("committed at %d without a delivery record", at)
	}
}

func refusedProduce(request *kmsg.ProduceRequest, code int16) *kmsg.ProduceResponse {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		refused := kmsg.NewProduceResponseTopic()
		refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			answer := kmsg.NewProduceResponseTopicPartition()
			answer.Partition, answer.ErrorCode = partition.Partition, code
			refused.Partitions = append(refused.Partitions, answer)
		}
		response.Topics = append(response.Topics, refused)
	}
	return response
}

func TestOffsetOutOfRangeEndsTheRoleInsteadOfSkippingRuns(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r0"))
	stop := p.run(quick())
	p.waitCommitted(0, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.write(0, "k", newRun("r1"))
	p.write(0, "k", newRun("r2"))
	var offsets kadm.Offsets
	offsets.AddOffset(p.kafka.Topic(schemas.RunsTopic), 0, 2, -1)
	if _, err := kadm.NewClient(p.client).DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	stop = p.run(quick())
	p.eventually("the end of the role", func() bool { return strings.Count(p.log.String(), "no new call starts") == 4 })
	if err := stop(); !errors.Is(err, kerr.OffsetOutOfRange) || !strings.Contains(err.Error(), p.kafka.Topic(schemas.RunsTopic)+" partition 0") {
		t.Errorf("Run returned %v", err)
	}
	if len(p.api.calls("r2")) != 0 {
		t.Error("a run after the hole was sent")
	}
}

func TestTwoDispatchersShareThePartitionsAndHandThemOver(t *testing.T) {
	p := newPipeline(t, 4, func(call) reply { return ok() })
	const runs = 400
	first := p.run(quick())
	for i := range runs / 2 {
		p.write(int32(i%4), fmt.Sprint(i%16), newRun(fmt.Sprint("r", i)))
	}
	second := p.run(quick())
	for i := range runs / 2 {
		p.write(int32(i%4), fmt.Sprint(i%16), newRun(fmt.Sprint("r", i+runs/2)))
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	for partition := range int32(4) {
		p.waitCommitted(partition, runs/4)
	}
	if err := second(); err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		if n := len(p.api.calls(fmt.Sprint("r", i))); n == 0 {
			t.Errorf("r%d was skipped", i)
		}
	}
}

func TestStopIsQuickWhenKafkaIsGone(t *testing.T) {
	p := newFaultyPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r1"))
	config := quick()
	config.DrainTimeout = 100 * time.Millisecond
	stop := p.run(config)
	p.waitCommitted(0, 1)
	p.cluster.Close()
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
