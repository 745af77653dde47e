package manifest

import (
	"cmp"
	"encoding/json"

	"github.com/millrace/millrace/schemas"
)

// field is a value that a plan shows as one. Fields that are empty are left out.
type field struct {
	name  string
	value json.RawMessage
}

type fieldList []field

func (l *fieldList) add(name string, value any) {
	encoded, err := plainJSON(value)
	if err != nil {
		return // values come from JSON, or are numbers and texts
	}
	switch string(encoded) {
	case `""`, "0", "false", "null":
		return
	}
	*l = append(*l, field{name, encoded})
}

func (e Environment) fields() []field {
	var l fieldList
	l.add("description", e.Description)
	api := e.WorkflowAPI.withoutDefaults()
	l.add("workflow_api.kind", api.Kind)
	l.add("workflow_api.base_url", api.BaseURL)
	l.add("workflow_api.api_key", api.APIKeyRef)
	l.add("workflow_api.concurrency", api.Concurrency)
	l.add("workflow_api.rate_limit", api.RateLimit)
	l.add("workflow_api.order", api.Order)
	return l
}

func (s Source) fields() []field {
	var l fieldList
	l.add("description", s.Description)
	l.add("disabled", s.Disabled)
	for _, environment := range byName(s.Endpoints) {
		e, prefix := s.Endpoints[environment], "endpoints."+environment+"."
		l.add(prefix+"dedup_window", e.DedupWindow)
		l.add(prefix+"disabled", e.Disabled)
		l.add(prefix+"max_bytes", e.MaxBytes)
		if e.Signature != nil {
			l.add(prefix+"signature.scheme", e.Signature.Scheme)
			l.add(prefix+"signature.secret", e.Signature.SecretRef)
		}
	}
	return l
}

func (t Trigger) fields() []field {
	if t.Name == "" {
		return nil // there is none
	}
	var l fieldList
	l.add("source", t.Source)
	l.add("event", t.Event)
	l.add("workflow", t.Workflow)
	l.add("condition", t.Condition)
	mapping := canonicalMapping(t.Mapping)
	l.add("mapping.recipients", mapping.Recipients)
	l.add("mapping.actor", mapping.Actor)
	l.add("mapping.tenant", mapping.Tenant)
	l.add("mapping.cancellation_key", mapping.CancellationKey)
	for _, name := range byName(mapping.Data) {
		l.add("mapping.data."+name, mapping.Data[name])
	}
	l.add("status", cmp.Or(t.Status, schemas.TriggerActive))
	l.add("description", t.Description)
	return l
}
