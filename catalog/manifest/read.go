package manifest

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/secretref"
)

// File is the text of a file and what problems call it.
type File struct {
	Name string
	Text []byte
}

// Read reads files of YAML, one or more documents each, or of JSON. Its error is the Problems of all of them; the
// manifest then holds what could be read.
func Read(files ...File) (Manifest, error) {
	var m Manifest
	var problems Problems
	index := 0
	for _, file := range files {
		documents, err := trees(file.Text)
		for _, node := range documents {
			problems = append(problems, m.add(file.Name, node, index)...)
			index++
		}
		if err != nil {
			problems = append(problems, syntaxProblem(file.Name, err))
		}
	}
	problems = append(problems, m.repeated()...)
	return m, problems.orNil()
}

// ReadResources reads documents as the API takes them.
func ReadResources(documents []json.RawMessage) (Manifest, error) {
	list := append([]byte("["), slices.Concat(join(documents), []byte("]"))...)
	return Read(File{Text: list})
}

func join(documents []json.RawMessage) []byte {
	var all []byte
	for i, document := range documents {
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, document...)
	}
	return all
}

// add reads one document into the manifest.
func (m *Manifest) add(file string, node *yaml.Node, index int) Problems {
	r := &reading{file: file, fields: map[string]Position{}}
	r.subject = Problem{Resource: index, At: r.position(node)}
	o := r.object(node, "")
	origin := Origin{index, o.at, r.fields}
	if len(r.problems) > 0 && len(o.members) == 0 {
		return r.problems
	}
	kind := o.required("kind")
	r.subject.Kind = kind
	if name := o.members["name"]; name != nil {
		r.subject.Name = name.Value
	}
	switch kind {
	case KindEnvironment:
		m.Environments = append(m.Environments, o.environment(origin))
	case KindSource:
		m.Sources = append(m.Sources, o.source(origin))
	case KindTrigger:
		m.Triggers = append(m.Triggers, o.triggers(origin)...)
	case "":
		return r.problems
	default:
		r.subject.Kind = ""
		r.refuseField("kind", "%q is none; give environment, source or trigger", kind)
		return r.problems
	}
	o.end()
	return r.problems
}

func (o *object) environment(origin Origin) Environment {
	e := Environment{Name: o.name("name"), Description: o.description(), Origin: origin}
	if node := o.member("workflow_api"); node != nil {
		e.WorkflowAPI = o.object(node, "workflow_api").workflowAPI()
	}
	return e
}

// workflowAPI is asked of the member of that name.
func (o *object) workflowAPI() WorkflowAPI {
	w := WorkflowAPI{
		Kind:    choice(o, "kind", schemas.WorkflowHTTP, schemas.WorkflowNone),
		BaseURL: o.text("base_url"), APIKeyRef: o.secret("api_key"),
		Concurrency: o.count("concurrency", maxConcurrency), RateLimit: o.rate("rate_limit"),
		Order: choice(o, "order", schemas.RelaxedOrder, schemas.StrictOrder),
	}
	if w.BaseURL != "" && !isHTTP(w.BaseURL) {
		o.refuseField("workflow_api.base_url", "must be an http or https URL such as https://api.example.com")
	}
	if w.Kind == schemas.WorkflowNone {
		o.refuseBeside("base_url", w.BaseURL)
		o.refuseBeside("api_key", w.APIKeyRef)
	}
	o.end()
	return w.withoutDefaults()
}

// refuseBeside refuses a member that kind none leaves without use.
func (o *object) refuseBeside(name, value string) {
	if value != "" {
		o.refuseField(o.prefix+name, "is of no use with kind %s, which calls nobody; leave it out, or set kind to %s", schemas.WorkflowNone, schemas.WorkflowHTTP)
	}
}

func (o *object) source(origin Origin) Source {
	s := Source{Name: o.name("name"), Description: o.description(), Disabled: o.boolean("disabled"), Endpoints: map[string]Endpoint{}, Origin: origin}
	node := o.member("endpoints")
	if node == nil {
		return s
	}
	endpoints := o.object(node, "endpoints")
	for _, name := range endpoints.names {
		s.Endpoints[name.Value] = o.endpoint(endpoints.members[name.Value], "endpoints."+name.Value)
	}
	return s
}

func (o *object) endpoint(node *yaml.Node, field string) Endpoint {
	in := o.object(node, field)
	e := defaultEndpoint()
	if text := in.text("dedup_window"); text != "" {
		if err := e.DedupWindow.UnmarshalText([]byte(text)); err != nil {
			o.refuseField(field+".dedup_window", "%v", err)
		}
	}
	e.Disabled, e.MaxBytes = in.boolean("disabled"), in.count("max_bytes", maxEventBytes)
	if node := in.member("signature"); node != nil {
		signature := o.object(node, field+".signature")
		scheme := schemas.SignatureScheme(signature.required("scheme"))
		if scheme != "" && scheme != schemas.StandardWebhooks && scheme != schemas.SegmentSignature {
			o.refuseField(field+".signature.scheme", "%q is none; use %s or %s", scheme, schemas.StandardWebhooks, schemas.SegmentSignature)
		}
		e.Signature = &schemas.Signature{Scheme: scheme, SecretRef: signature.secret("secret")}
		if e.Signature.SecretRef == "" && signature.members["secret"] == nil {
			o.refuse(signature.at, field+".signature.secret", "is missing; give env:NAME or file:PATH")
		}
		signature.end()
	}
	in.end()
	return e
}

// triggers reads one trigger for each environment that the document names.
func (o *object) triggers(origin Origin) []Trigger {
	t := Trigger{
		Name: o.name("name"), Source: o.name("source"), Description: o.description(), Event: o.required("event"),
		Workflow: o.name("workflow"), Condition: o.text("condition"), Mapping: o.mapping(),
		Status: schemas.TriggerStatus(o.text("status")), Origin: origin,
	}
	if len(t.Event) > schemas.MaxNameBytes {
		o.refuseField("event", "is longer than %d bytes", schemas.MaxNameBytes)
	}
	if t.Status != "" && t.Status != schemas.TriggerActive && t.Status != schemas.TriggerInactive {
		o.refuseField("status", "%q is none; use %s or %s", t.Status, schemas.TriggerActive, schemas.TriggerInactive)
	}
	if t.Status == schemas.TriggerActive {
		t.Status = "" // the default
	}
	environment, environments := o.text("environment"), o.list("environments")
	switch {
	case environment != "" && environments != nil:
		o.refuseField("environments", "is given beside environment; give one of them")
	case environment != "":
		environments = []string{environment}
	case o.members["environment"] == nil && o.members["environments"] == nil:
		o.refuse(o.at, "environment", "is missing; give environment: NAME or environments: [NAME, NAME]")
	}
	var all []Trigger
	for _, environment := range environments {
		t.Environment = environment
		all = append(all, t)
	}
	return all
}

func (o *object) mapping() schemas.Mapping {
	var m schemas.Mapping
	node := o.member("mapping")
	if node == nil {
		return m
	}
	in := o.object(node, "mapping")
	m.Recipients, m.Actor = absentIfNull(in.json("recipients")), absentIfNull(in.json("actor"))
	m.Tenant, m.CancellationKey = absentIfNull(in.json("tenant")), absentIfNull(in.json("cancellation_key"))
	if node := in.member("data"); node != nil {
		data := o.object(node, "mapping.data")
		m.Data = map[string]json.RawMessage{}
		for _, name := range data.names {
			m.Data[name.Value] = data.json(name.Value)
		}
	}
	in.end()
	return m
}

// absentIfNull drops a null, which the rules take for an absent member, too.
func absentIfNull(entry json.RawMessage) json.RawMessage {
	if string(entry) == "null" {
		return nil
	}
	return entry
}

// name is required and looks as the catalog wants names.
func (o *object) name(field string) string {
	name := o.required(field)
	if name != "" && (len(name) > maxNameBytes || !isName(name)) {
		o.refuseField(o.prefix+field, "%.40q: use 1 to %d letters, digits, dots, dashes or underscores, a letter or digit first", name, maxNameBytes)
	}
	return name
}

func isName(text string) bool {
	return !strings.ContainsRune("_.-", rune(text[0])) && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	})
}

// The catalog checks the same once more; here it is checked without one, and with a position.
const (
	maxNameBytes        = 128
	maxDescriptionBytes = 1024
	maxConcurrency      = 10_000
	maxRateLimit        = 1_000_000
	maxEventBytes       = 990_000
)

func (o *object) description() string {
	text := o.text("description")
	if len(text) > maxDescriptionBytes {
		o.refuseField(o.prefix+"description", "is longer than %d bytes", maxDescriptionBytes)
	}
	return text
}

// secret is a reference to one. The message does not repeat it: it may be the secret itself, given by mistake.
func (o *object) secret(name string) string {
	ref := o.text(name)
	if ref == "" {
		return ref
	}
	if err := secretref.Check(ref); err != nil {
		o.refuseField(o.prefix+name, "%v", err)
	}
	return ref
}

func isHTTP(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

// repeated refuses what several documents define.
func (m *Manifest) repeated() Problems {
	var problems Problems
	first := map[string]Origin{}
	check := func(kind, environment, name string, origin Origin) {
		key := strings.Join([]string{kind, environment, name}, "/")
		if earlier, twice := first[key]; twice {
			problems = append(problems, Problem{
				At: origin.At("name"), Resource: origin.Index, Kind: kind, Environment: environment, Name: name, Field: "name",
				Message: "is taken: another document defines it" + earlierPlace(earlier),
			})
			return
		}
		first[key] = origin
	}
	for _, e := range m.Environments {
		check(KindEnvironment, "", e.Name, e.Origin)
	}
	for _, s := range m.Sources {
		check(KindSource, "", s.Name, s.Origin)
	}
	for _, t := range m.Triggers {
		check(KindTrigger, t.Environment, t.Name, t.Origin)
	}
	return problems
}

func earlierPlace(o Origin) string {
	if place := o.At("").String(); place != "" {
		return ", at " + place
	}
	return ""
}

// byName returns the names of a map in order.
func byName[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }
