package manifest_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/catalog/manifest"
	"github.com/millrace/millrace/schemas"
)

// TestWhatIsExportedAppliesToTheSame applies random manifests one after the other to one catalog, so that each step
// creates, updates and prunes.
func TestWhatIsExportedAppliesToTheSame(t *testing.T) {
	s := newStore(t)
	rapid.Check(t, func(r *rapid.T) {
		wanted := anyManifest(r)
		before := s.reader.Snapshot()
		planned, err := manifest.Compare(before, wanted, true)
		if err != nil {
			r.Fatal(err)
		}
		done, err := s.apply(wanted, true)
		if err != nil {
			r.Fatalf("%v in\n%s", err, encode(r, wanted))
		}
		if fmt.Sprint(len(planned.Changes), planned.Unchanged) != fmt.Sprint(len(done.Changes), done.Unchanged) {
			r.Errorf("planned %v, done %v", planned, done)
		}
		exported := manifest.Export(s.reader.Snapshot())
		wanted.Environments = exported.Environments // which are never pruned
		if got, want := inOrder(r, exported), inOrder(r, wanted); got != want {
			r.Errorf("exported\n%s\nwant\n%s", got, want)
		}
		written := encode(r, exported)
		revisions := fmt.Sprintf("%+v", s.reader.Snapshot().Triggers())
		again, err := s.apply(read(r, written), true)
		if err != nil || len(again.Changes) != 0 {
			r.Errorf("applying the export: %+v, %v in\n%s", again.Changes, err, written)
		}
		if got := fmt.Sprintf("%+v", s.reader.Snapshot().Triggers()); got != revisions {
			r.Errorf("a revision went up:\n%s\n%s", revisions, got)
		}
	})
}

// inOrder writes a manifest so that the order of its resources does not matter.
func inOrder(t *rapid.T, m manifest.Manifest) string {
	byKey := map[string]string{}
	for _, e := range m.Environments {
		byKey[e.Name] = encode(t, manifest.Manifest{Environments: []manifest.Environment{e}})
	}
	for _, s := range m.Sources {
		byKey["source "+s.Name] = encode(t, manifest.Manifest{Sources: []manifest.Source{s}})
	}
	for _, trigger := range m.Triggers {
		byKey["trigger "+trigger.Environment+"/"+trigger.Name] = encode(t, manifest.Manifest{Triggers: []manifest.Trigger{trigger}})
	}
	text, err := json.MarshalIndent(byKey, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func anyWorkflowAPI(r *rapid.T) manifest.WorkflowAPI {
	w := manifest.WorkflowAPI{
		Kind:        rapid.SampledFrom([]schemas.WorkflowKind{"", schemas.WorkflowNone}).Draw(r, "kind"),
		Concurrency: rapid.IntRange(0, 9).Draw(r, "concurrency"), RateLimit: rapid.SampledFrom([]float64{0, 0.5, 100}).Draw(r, "rate"),
		Order: rapid.SampledFrom([]schemas.RunOrder{"", schemas.StrictOrder}).Draw(r, "order"),
	}
	if w.Kind == "" {
		w.BaseURL = rapid.SampledFrom([]string{"", "https://a.example"}).Draw(r, "base")
		w.APIKeyRef = rapid.SampledFrom([]string{"", "env:A"}).Draw(r, "key")
	}
	return w
}

func anyManifest(r *rapid.T) manifest.Manifest {
	environments := []string{"development", "production", "e.1", "true"}
	var m manifest.Manifest
	for _, name := range environments[2:] {
		m.Environments = append(m.Environments, manifest.Environment{Name: name, Description: anyText(r), WorkflowAPI: anyWorkflowAPI(r)})
	}
	for i := range rapid.IntRange(0, 3).Draw(r, "sources") {
		source := manifest.Source{Name: fmt.Sprintf("s%d", i), Description: anyText(r), Disabled: rapid.Bool().Draw(r, "disabled"), Endpoints: map[string]manifest.Endpoint{}}
		for _, name := range environments {
			if rapid.Bool().Draw(r, "listed") {
				source.Endpoints[name] = anyEndpoint(r)
			}
		}
		m.Sources = append(m.Sources, source)
	}
	if len(m.Sources) == 0 {
		return m
	}
	for i := range rapid.IntRange(0, 5).Draw(r, "triggers") {
		trigger := manifest.Trigger{
			Name: fmt.Sprintf("t%d", i), Source: m.Sources[rapid.IntRange(0, len(m.Sources)-1).Draw(r, "source")].Name,
			Event: rapid.StringOfN(rapid.Rune(), 1, 20, 255).Draw(r, "event"), Workflow: "w", Condition: anyText(r), Description: anyText(r),
			Mapping: anyMapping(r), Status: rapid.SampledFrom([]schemas.TriggerStatus{"", schemas.TriggerInactive}).Draw(r, "status"),
		}
		for _, name := range environments {
			if rapid.Bool().Draw(r, "there") {
				trigger.Environment = name
				m.Triggers = append(m.Triggers, trigger)
			}
		}
	}
	return m
}

func anyText(r *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "off", "123", "null", "a\nb\n", " a\n\n  b", "a: b # c", "- x", "true", "\t", "2026-01-01", "\r\n", "\u2028"}),
		rapid.StringN(0, 30, 200),
	).Draw(r, "text")
}

func anyEndpoint(r *rapid.T) manifest.Endpoint {
	e := manifest.Endpoint{
		DedupWindow: rapid.SampledFrom([]manifest.Window{0, manifest.Window(schemas.MinWindow), manifest.Window(schemas.DefaultWindow), manifest.Window(schemas.MaxWindow)}).Draw(r, "window"),
		Disabled:    rapid.Bool().Draw(r, "off"), MaxBytes: rapid.SampledFrom([]int{0, 65536}).Draw(r, "max"),
	}
	if rapid.Bool().Draw(r, "signed") {
		e.Signature = &schemas.Signature{Scheme: schemas.SegmentSignature, SecretRef: "file:/a"}
	}
	return e
}

func anyMapping(r *rapid.T) schemas.Mapping {
	var m schemas.Mapping
	if rapid.Bool().Draw(r, "has recipients") {
		m.Recipients = anyInput(r)
	}
	if rapid.Bool().Draw(r, "has tenant") {
		m.Tenant = anyInput(r)
	}
	for range rapid.IntRange(0, 3).Draw(r, "data") {
		if m.Data == nil {
			m.Data = map[string]json.RawMessage{}
		}
		m.Data[anyText(r)] = anyInput(r)
	}
	return m
}

func anyInput(r *rapid.T) json.RawMessage {
	literal := rapid.SampledFrom([]string{
		`"data.x"`, `{"value":null}`, `{"value":[1,1.0,1e400,-0,{"b":"2026-01-01","a":[]}]}`, `{"value":12345678901234567890123}`, `{"value":"\u2028<\n"}`, `{"value":{}}`,
	}).Draw(r, "input")
	if rapid.Bool().Draw(r, "computed") {
		encoded, err := json.Marshal(map[string]string{"expr": anyText(r)})
		if err != nil {
			r.Fatal(err)
		}
		return encoded
	}
	return json.RawMessage(literal)
}
