package catalog

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/secretref"
)

// What the catalog takes. Names stand in URLs and on command lines. The counts are what the rest is measured for.
const (
	maxNameBytes        = 128
	maxDescriptionBytes = 1024
	maxEnvironments     = 100
	maxSources          = 10_000
	maxTriggers         = 100_000
	maxConcurrency      = 10_000
	maxRateLimit        = 1e6

	// maxEntryBytes bounds a record. An audit record holds one from before a change and one from after it, and a broker
	// takes a mebibyte.
	maxEntryBytes = 384 << 10

	// maxEventBytes is the most that ingest can be set to take.
	maxEventBytes = 990_000
)

func full(what string, limit int) error {
	return invalid(what, "the catalog has %d %s, which is the limit; delete one that is not needed any more", limit, what)
}

// tooLarge names what makes an entry large.
func tooLarge(entry schemas.CatalogEntry, size int) error {
	field := "mapping"
	switch {
	case entry.Environment != nil:
		field = "description"
	case entry.Source != nil:
		field = "endpoints"
	case entry.Replay != nil:
		field = "triggers"
	}
	return invalid(field, "%s takes %d bytes, at most %d are possible; make its %s shorter", entryKey(entry), size, maxEntryBytes, field)
}

func checkName(field, name string) error {
	if name == "" || len(name) > maxNameBytes || strings.ContainsRune("_.-", rune(name[0])) || strings.ContainsFunc(name, isOutsideNames) {
		return invalid(field, "%s %.40q: use 1 to %d letters, digits, dots, dashes or underscores, a letter or digit first", field, name, maxNameBytes)
	}
	return nil
}

// isOutsideNames reports whether names and workflow keys may not have a letter.
func isOutsideNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
}

// checkEnvironment reports everything that is wrong with an environment.
func checkEnvironment(environment schemas.Environment) error {
	problems := []error{checkName("name", environment.Name)}
	if len(environment.Description) > maxDescriptionBytes {
		problems = append(problems, invalid("description", "description: at most %d bytes", maxDescriptionBytes))
	}
	return errors.Join(append(problems, checkWorkflowAPI(environment.Workflows))...)
}

func checkWorkflowAPI(api schemas.WorkflowAPI) error {
	var problems []error
	switch api.Kind {
	case schemas.WorkflowHTTP:
	case schemas.WorkflowNone:
		problems = append(problems, checkCallsNobody(api))
	default:
		problems = append(problems, invalid("workflow_api.kind", "kind %.40q: use %s or %s", api.Kind, schemas.WorkflowHTTP, schemas.WorkflowNone))
	}
	if api.Order != schemas.RelaxedOrder && api.Order != schemas.StrictOrder {
		problems = append(problems, invalid("workflow_api.order", "order %.40q: use %s or %s", api.Order, schemas.RelaxedOrder, schemas.StrictOrder))
	}
	if parsed, err := url.Parse(api.BaseURL); api.BaseURL != "" && (err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https") {
		problems = append(problems, invalid("workflow_api.base_url", "base_url: give an http or https URL such as https://api.example.com"))
	}
	if api.APIKeyRef != "" {
		if err := secretref.Check(api.APIKeyRef); err != nil {
			problems = append(problems, invalid("workflow_api.api_key", "%v", err))
		}
	}
	if api.Concurrency < 0 || api.Concurrency > maxConcurrency {
		problems = append(problems, invalid("workflow_api.concurrency", "concurrency %d: give 0, which leaves it to the dispatcher's settings, to %d", api.Concurrency, maxConcurrency))
	}
	if !(api.RateLimit >= 0 && api.RateLimit <= maxRateLimit) {
		problems = append(problems, invalid("workflow_api.rate_limit", "rate_limit %v: give 0, which is unlimited, to %v requests a second", api.RateLimit, maxRateLimit))
	}
	return errors.Join(problems...)
}

// checkCallsNobody refuses what looks as if somebody were called. Limits and order may stay for when the kind changes.
func checkCallsNobody(api schemas.WorkflowAPI) error {
	var problems []error
	const remedy = "%s is of no use with kind %s, which calls nobody: empty it, or set kind to %s"
	if api.BaseURL != "" {
		problems = append(problems, invalid("workflow_api.base_url", remedy, "base_url", schemas.WorkflowNone, schemas.WorkflowHTTP))
	}
	if api.APIKeyRef != "" {
		problems = append(problems, invalid("workflow_api.api_key", remedy, "api_key", schemas.WorkflowNone, schemas.WorkflowHTTP))
	}
	return errors.Join(problems...)
}

// checkSource reports everything that is wrong with a source, given the snapshot it would join.
func checkSource(s *Snapshot, source schemas.Source) error {
	problems := []error{checkName("name", source.Name)}
	if strings.HasPrefix(source.Name, sourceIDPrefix) {
		problems = append(problems, invalid("name", "name %q looks like an ID; choose another", source.Name))
	}
	if other, taken := s.Source(source.Name); taken && other.ID != source.ID {
		problems = append(problems, invalid("name", "name %q is taken by source %s; choose another", source.Name, other.ID))
	}
	if len(source.Description) > maxDescriptionBytes {
		problems = append(problems, invalid("description", "description: at most %d bytes", maxDescriptionBytes))
	}
	for environment, endpoint := range source.Endpoints {
		problems = append(problems, checkEndpoint(s, environment, endpoint))
	}
	return errors.Join(problems...)
}

func checkEndpoint(s *Snapshot, environment string, endpoint schemas.Endpoint) error {
	field := "endpoints." + environment
	if _, known := s.Environment(environment); !known {
		return invalid(field, "environment %q does not exist; create it first", environment)
	}
	if window := endpoint.DedupWindow; window != 0 && (window < schemas.MinWindow || window > schemas.MaxWindow) {
		return invalid(field+".dedup_window", "dedup window %s: give 1m to 168h, or off", time.Duration(window))
	}
	if endpoint.MaxBytes < 0 || endpoint.MaxBytes > maxEventBytes {
		return invalid(field+".max_bytes", "max_bytes %d: give 0, which leaves it to ingest's setting, to %d", endpoint.MaxBytes, maxEventBytes)
	}
	if endpoint.Signature == nil {
		return nil
	}
	switch endpoint.Signature.Scheme {
	case schemas.StandardWebhooks, schemas.SegmentSignature:
	default:
		return invalid(field+".signature.scheme", "signature scheme %q: use %s or %s", endpoint.Signature.Scheme, schemas.StandardWebhooks, schemas.SegmentSignature)
	}
	if err := secretref.Check(endpoint.Signature.SecretRef); err != nil {
		return invalid(field+".signature.secret", "%v", err)
	}
	return nil
}

// checkTrigger reports everything that is wrong with a trigger, its condition and mapping aside.
func checkTrigger(s *Snapshot, trigger schemas.Trigger) error {
	problems := []error{checkName("workflow", trigger.Workflow)}
	if trigger.Name != trigger.Workflow {
		problems = append(problems, checkName("name", trigger.Name))
	}
	if strings.HasPrefix(trigger.Name, triggerIDPrefix) {
		problems = append(problems, invalid("name", "name %q looks like an ID; choose another", trigger.Name))
	}
	if other, taken := s.TriggerNamed(trigger.Environment, trigger.Name); taken && other.ID != trigger.ID {
		problems = append(problems, invalid("name", "name %q is taken in environment %s by trigger %s; choose another", trigger.Name, trigger.Environment, other.ID))
	}
	if len(trigger.Description) > maxDescriptionBytes {
		problems = append(problems, invalid("description", "description: at most %d bytes", maxDescriptionBytes))
	}
	if !s.environments.has(trigger.Environment) {
		problems = append(problems, invalid("environment", "environment %q does not exist; create it first", trigger.Environment))
	}
	if !s.sources.has(trigger.SourceID) {
		problems = append(problems, invalid("source_id", "source %q does not exist; create it first", trigger.SourceID))
	}
	if len(trigger.Event) == 0 || len(trigger.Event) > schemas.MaxNameBytes {
		problems = append(problems, invalid("event", "event: give the event's name, 1 to %d bytes, or %s for every event", schemas.MaxNameBytes, schemas.AnyEvent))
	}
	if trigger.Status != schemas.TriggerActive && trigger.Status != schemas.TriggerInactive {
		problems = append(problems, invalid("status", "status %q: use %s or %s", trigger.Status, schemas.TriggerActive, schemas.TriggerInactive))
	}
	return errors.Join(problems...)
}
