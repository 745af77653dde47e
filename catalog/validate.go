package catalog

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// InvalidError says which field of a source or trigger cannot be saved and why.
type InvalidError struct {
	Field   string
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// The longest name, description and workflow key.
const (
	maxNameBytes        = 128
	maxDescriptionBytes = 1024
)

// namePattern is what names and workflow keys look like: they stand in URLs and on command lines.
const namePattern = `^[A-Za-z0-9][A-Za-z0-9_.-]*$`

func checkName(field, name string) error {
	if len(name) > maxNameBytes || !regexp.MustCompile(namePattern).MatchString(name) {
		return invalid(field, "%s %.40q: use 1 to %d letters, digits, dots, dashes or underscores, a letter or digit first", field, name, maxNameBytes)
	}
	return nil
}

// checkEnvironment reports everything that is wrong with an environment.
func checkEnvironment(environment schemas.Environment) error {
	problems := []error{checkName("name", environment.Name)}
	if len(environment.Description) > maxDescriptionBytes {
		problems = append(problems, invalid("description", "description: at most %d bytes", maxDescriptionBytes))
	}
	api := environment.Workflows
	if parsed, err := url.Parse(api.BaseURL); api.BaseURL != "" && (err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https") {
		problems = append(problems, invalid("workflow_api.base_url", "base_url: give an http or https URL such as https://api.example.com"))
	}
	if api.APIKeyRef != "" {
		if err := CheckSecretRef(api.APIKeyRef); err != nil {
			problems = append(problems, invalid("workflow_api.api_key", "%v", err))
		}
	}
	if api.Concurrency < 0 || api.RateLimit < 0 {
		problems = append(problems, invalid("workflow_api", "concurrency and rate_limit: give 0 or more"))
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
		problems = append(problems, invalid("name", "name %q is taken by source %s", source.Name, other.ID))
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
		return invalid(field, "environment %q does not exist", environment)
	}
	if endpoint.Signature == nil {
		return nil
	}
	switch endpoint.Signature.Scheme {
	case schemas.StandardWebhooks, schemas.SegmentSignature:
	default:
		return invalid(field+".signature.scheme", "signature scheme %q: use %s or %s", endpoint.Signature.Scheme, schemas.StandardWebhooks, schemas.SegmentSignature)
	}
	if err := CheckSecretRef(endpoint.Signature.SecretRef); err != nil {
		return invalid(field+".signature.secret", "%v", err)
	}
	return nil
}

// checkTrigger reports everything that is wrong with a trigger, its condition and mapping aside.
func checkTrigger(s *Snapshot, trigger schemas.Trigger) error {
	problems := []error{checkName("workflow", trigger.Workflow)}
	if _, known := s.Environment(trigger.Environment); !known {
		problems = append(problems, invalid("environment", "environment %q does not exist", trigger.Environment))
	}
	if _, known := s.entries[sourceKey(trigger.SourceID)]; !known {
		problems = append(problems, invalid("source_id", "source %q does not exist", trigger.SourceID))
	}
	if len(trigger.Event) == 0 || len(trigger.Event) > schemas.MaxNameBytes {
		problems = append(problems, invalid("event", "event: give the event's name, 1 to %d bytes, or %s for every event", schemas.MaxNameBytes, schemas.AnyEvent))
	}
	if trigger.Status != schemas.TriggerActive && trigger.Status != schemas.TriggerInactive {
		problems = append(problems, invalid("status", "status %q: use %s or %s", trigger.Status, schemas.TriggerActive, schemas.TriggerInactive))
	}
	return errors.Join(problems...)
}
