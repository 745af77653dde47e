package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// Export returns what a catalog holds, as files would say it: what Apply makes of it is the same catalog. Environments
// come by name, sources and triggers oldest first.
func Export(s *catalog.Snapshot) Manifest {
	var m Manifest
	for _, e := range s.Environments() {
		m.Environments = append(m.Environments, Environment{
			Name: e.Name, Description: e.Description, WorkflowAPI: WorkflowAPI(e.Workflows).withoutDefaults(),
		})
	}
	names := map[string]string{}
	for _, source := range s.Sources() {
		names[source.ID] = source.Name
		exported := Source{Name: source.Name, Description: source.Description, Disabled: source.Disabled, Endpoints: map[string]Endpoint{}, id: source.ID}
		for environment, e := range source.Endpoints {
			exported.Endpoints[environment] = Endpoint{Window(e.DedupWindow), e.Disabled, e.MaxBytes, e.Signature}
		}
		m.Sources = append(m.Sources, exported)
	}
	triggers := s.Triggers()
	called := triggerNames(triggers)
	for i, t := range triggers {
		m.Triggers = append(m.Triggers, exportTrigger(t, called[i], names[t.SourceID]))
	}
	return m
}

func exportTrigger(t schemas.Trigger, name, source string) Trigger {
	exported := Trigger{
		Name: name, Environment: t.Environment, Source: source, Description: t.Description, Event: t.Event,
		Workflow: t.Workflow, Condition: t.Condition, Mapping: withoutNulls(t.Mapping), Status: t.Status, id: t.ID,
	}
	if exported.Status == schemas.TriggerActive {
		exported.Status = ""
	}
	return exported
}

// triggerNames returns the name of each trigger. One that has none, of a record before names were kept, is called after
// its workflow.
func triggerNames(triggers []schemas.Trigger) []string {
	taken := map[[2]string]bool{}
	for _, t := range triggers {
		taken[[2]string{t.Environment, t.Name}] = true
	}
	names := make([]string, len(triggers))
	for i, t := range triggers {
		if names[i] = t.Name; t.Name != "" {
			continue
		}
		names[i] = t.Workflow
		for n := 2; taken[[2]string{t.Environment, names[i]}]; n++ {
			names[i] = fmt.Sprintf("%s-%d", t.Workflow, n)
		}
		taken[[2]string{t.Environment, names[i]}] = true
	}
	return names
}

// withoutNulls drops the entries that are null, which the rules take for absent ones.
func withoutNulls(m schemas.Mapping) schemas.Mapping {
	m.Recipients, m.Actor, m.Tenant, m.CancellationKey = absentIfNull(m.Recipients), absentIfNull(m.Actor), absentIfNull(m.Tenant), absentIfNull(m.CancellationKey)
	return m
}

// canonicalMapping writes a mapping's entries alike whoever wrote them.
func canonicalMapping(m schemas.Mapping) schemas.Mapping {
	m.Recipients, m.Actor, m.Tenant, m.CancellationKey = canonical(m.Recipients), canonical(m.Actor), canonical(m.Tenant), canonical(m.CancellationKey)
	entries := map[string]json.RawMessage{}
	for name, entry := range m.Data {
		entries[name] = canonical(entry)
	}
	if m.Data = entries; len(entries) == 0 {
		m.Data = nil
	}
	return m
}

// canonical writes JSON compactly with members in order, numbers as they are. An entry that is null is absent.
func canonical(entry json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(entry))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || value == nil {
		return nil
	}
	encoded, err := plainJSON(value)
	if err != nil {
		return entry
	}
	return encoded
}
