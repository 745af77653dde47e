package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

func TestAuditRecordNamesTheTokenBehindAChange(t *testing.T) {
	t.Setenv("OPS_TOKEN", adminToken)
	s := newServer(t, "ops:admin:env:OPS_TOKEN")
	s.as(adminToken).call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	client, err := kgo.NewClient(append(s.kafka.Options(),
		kgo.ConsumeTopics(s.kafka.Topic(schemas.AuditTopic)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		for records := client.PollFetches(ctx).RecordIter(); !records.Done(); {
			entry, err := schemas.Decode[schemas.AuditEntry](records.Next().Value)
			if err != nil {
				t.Fatal(err)
			}
			if entry.Kind != "source" {
				continue // the environments, which are made without a token
			}
			if entry.Actor != "ops" || entry.Action != schemas.Created || entry.Name != "app" {
				t.Errorf("got %+v", entry)
			}
			return
		}
	}
	t.Error("the change has no audit record")
}
