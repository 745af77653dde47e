package kafka_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/rig"
)

// TestTopicsAreKnownToTheBrokersWhenTheyAreEnsured has a broker that hears of new topics late, as real ones do.
func TestTopicsAreKnownToTheBrokersWhenTheyAreEnsured(t *testing.T) {
	fake, cluster := rig.Fake(t)
	var late atomic.Int32
	fake.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked := request.(*kmsg.MetadataRequest)
		if len(asked.Topics) == 0 || late.Add(1) > 3 {
			return nil, nil, false
		}
		return unknown(asked), nil, true
	})
	if err := config(cluster).EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := late.Load(); got < 4 {
		t.Errorf("it returned after %d answers, although the first three did not know the topics", got)
	}
}

func unknown(request *kmsg.MetadataRequest) *kmsg.MetadataResponse {
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	for _, topic := range request.Topics {
		answer := kmsg.NewMetadataResponseTopic()
		answer.Topic, answer.ErrorCode = topic.Topic, kerr.UnknownTopicOrPartition.Code
		response.Topics = append(response.Topics, answer)
	}
	return response
}
