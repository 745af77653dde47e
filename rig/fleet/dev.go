package fleet

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// NewDev starts `millrace dev` with all that is embedded in it, whatever the tests run on otherwise, and makes the catalog
// that New makes. The fleet it returns has no processes beside that one, but loads, a workflow API and a ledger.
func NewDev(t testing.TB, options Options, flags ...string) (*Fleet, *rig.Pipeline) {
	t.Helper()
	t.Setenv("MILLRACE_TEST_ON", string(rig.Embedded))
	options = options.withDefaults(t)
	f := &Fleet{t: t, options: options, Workflows: newWorkflows(t)}
	dev := rig.Start(t, append(flags, "--workflow-api-url="+f.Workflows.URL)...)
	f.Kafka = kafka.Config{Brokers: []string{dev.Kafka}, TopicPrefix: dev.TopicPrefix, ClientID: "fleet"}
	f.dsn = dev.ClickHouse + "/millrace?compress=none"
	triggers := f.callForCatalog(dev)
	f.Ledger = ledger.New(ledger.Options{
		Kafka: f.Kafka, ClickHouse: f.dsn, Triggers: triggers, Dead: options.Dead, Effects: f.Workflows.Effects, Patience: patience,
	})
	return f, dev
}

// callForCatalog makes the catalog through the management API.
func (f *Fleet) callForCatalog(dev *rig.Pipeline) []ledger.Trigger {
	f.t.Helper()
	type object = map[string]any
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	dev.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, object{"name": "app"}, &source)
	endpoint, err := url.Parse(source.Endpoints["production"].URL)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Path, f.Source.ID = endpoint.Path, source.ID
	create := func(trigger object) schemas.Trigger {
		var made struct{ ID string }
		trigger["environment"], trigger["source_id"], trigger["event"] = "production", source.ID, "Order"
		dev.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, trigger, &made)
		return schemas.Trigger{ID: made.ID}
	}
	return []ledger.Trigger{
		{Trigger: create(object{"workflow": "always"}), Matches: func(int64) bool { return true }},
		{Trigger: create(object{"workflow": "some", "condition": "data.chosen"}), Matches: f.options.EventNumber},
	}
}
