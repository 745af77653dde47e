package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestAuditIsReadThroughTheAPI(t *testing.T) {
	p := rig.Start(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	at := time.Now().UTC().Truncate(time.Millisecond)
	var entries []schemas.AuditEntry
	for i, action := range []schemas.Action{schemas.Created, schemas.Updated, schemas.Deleted} {
		entry := schemas.AuditEntry{
			Schema: schemas.Version, ID: uuid.Must(uuid.NewV7()).String(), ChangeID: uuid.NewString(), At: at.Add(time.Duration(i) * time.Second),
			Actor: "somebody", Action: action, Kind: "trigger", ResourceID: "trg_audited", Name: "welcome", Revision: int64(i + 1),
		}
		if action != schemas.Deleted {
			entry.After = json.RawMessage(`{"workflow":"w"}`)
		}
		value, err := schemas.Encode(entry)
		if err != nil {
			t.Fatal(err)
		}
		record := &kgo.Record{Topic: p.TopicPrefix + schemas.AuditTopic, Key: []byte("trigger/trg_audited"), Value: value}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	type item struct {
		ID     string
		Action string
		Actor  string
		After  any
	}
	list := func(query string) (items []item, err error) {
		values, err := url.ParseQuery("actor=somebody&" + query)
		if err != nil {
			return nil, err
		}
		return rig.All[item](p, "/api/v1/audit", values)
	}
	p.Eventually("the changes are in the audit log", func() error {
		items, err := list("resource=trg_audited")
		if err != nil || len(items) != 3 || items[0].ID != entries[2].ID || items[0].After != nil || items[1].After == nil {
			return fmt.Errorf("got %+v, %w", items, err)
		}
		return nil
	})
	for query, want := range map[string]int{
		"resource=welcome": 3, "action=updated": 1, "kind=source": 0, "since=" + url.QueryEscape(entries[1].At.Format(time.RFC3339Nano)): 2,
		"until=" + url.QueryEscape(entries[1].At.Format(time.RFC3339Nano)): 1,
	} {
		if items, err := list(query); err != nil || len(items) != want {
			t.Errorf("%s: %d changes, %v, want %d", query, len(items), err, want)
		}
	}
	var out struct{ Error struct{ Field string } }
	p.Call(http.MethodGet, "/api/v1/audit?kind=workflow", http.StatusBadRequest, nil, &out)
	if out.Error.Field != "kind" {
		t.Errorf("got %+v", out)
	}
}
