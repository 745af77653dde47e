package rules

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxRequestBytes bounds a run's request, so that the record of the run stays below the 1 MiB that brokers accept by
// default. A trigger that asks for more fails on that event.
const MaxRequestBytes = 768 << 10

// request writes the schemas.RunRequest of an event member by member: the values are copied from the event's text,
// so that numbers keep their digits. It also returns the ID of the first recipient.
func (m *mapping) request(event *Event) ([]byte, string, error) {
	recipients, err := readChecked("recipients", m.recipients, event, checkRecipients)
	if err != nil {
		return nil, "", err
	}
	out, first := appendRecipients(event.request[:0], recipients)
	out, err = appendParty(out, "actor", m.actor, event)
	if err != nil {
		return nil, "", err
	}
	out, err = m.appendData(out, event)
	if err != nil {
		return nil, "", err
	}
	out, err = appendParty(out, "tenant", m.tenant, event)
	if err != nil {
		return nil, "", err
	}
	out, err = m.appendCancellationKey(out, event)
	if err != nil {
		return nil, "", err
	}
	out = append(out, '}')
	event.request = out
	return out, first, checkLength(out)
}

// readChecked reads an input, which may be nil, and checks its shape.
func readChecked(field string, in *input, event *Event, check func(string, *value) error) (*value, error) {
	if in == nil {
		return nil, nil
	}
	v, err := in.read(event)
	if err == nil {
		err = check(in.name, v)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return v, nil
}

// appendRecipients starts the request with recipients that were checked.
func appendRecipients(out []byte, recipients *value) ([]byte, string) {
	first := recipients
	if recipients.kind() == '[' {
		first = recipients.element(0)
		out = append(out, `{"recipients":`...)
		out = appendValue(out, recipients)
	} else {
		out = append(out, `{"recipients":[`...)
		out = appendValue(out, recipients)
		out = append(out, ']')
	}
	id, _ := partyID(first)
	return out, id
}

// appendParty adds an actor or a tenant, unless it is missing or empty.
func appendParty(out []byte, field string, in *input, event *Event) ([]byte, error) {
	v, err := readChecked(field, in, event, checkParty)
	if err != nil || v == nil || v.isEmptyText() {
		return out, err
	}
	out = append(append(append(out, `,"`...), field...), `":`...)
	return appendValue(out, v), nil
}

func (m *mapping) appendCancellationKey(out []byte, event *Event) ([]byte, error) {
	v, err := readChecked("cancellation_key", m.cancellationKey, event, checkCancellationKey)
	if err != nil || v == nil || v.isEmptyText() {
		return out, err
	}
	out = append(out, `,"cancellation_key":`...)
	if v.kind() == '"' {
		return appendValue(out, v), nil
	}
	return append(out, quote(string(v.raw))...), nil
}

// appendData adds all properties, or what is mapped: a missing value is null.
func (m *mapping) appendData(out []byte, event *Event) ([]byte, error) {
	if len(m.data) == 0 {
		return appendProperties(out, event)
	}
	out = append(out, `,"data":{`...)
	for i, in := range m.data {
		v, err := in.read(event)
		if err == nil {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendValue(append(out, in.label...), v)
			err = checkLength(out)
		}
		if err != nil {
			return nil, fmt.Errorf("data.%s: %w", in.key, err)
		}
	}
	return append(out, '}'), nil
}

func appendProperties(out []byte, event *Event) ([]byte, error) {
	properties, err := event.root(rootData)
	if err != nil || properties == nil {
		return out, err
	}
	out = append(out, `,"data":`...)
	return appendValue(out, properties), nil
}

func checkLength(out []byte) error {
	if len(out) > MaxRequestBytes {
		return fmt.Errorf("the run's request has more than %d bytes; map less data", MaxRequestBytes)
	}
	return nil
}

// appendCompact appends JSON text without the space between its tokens.
func appendCompact(out []byte, raw jsontext.Value) ([]byte, error) {
	if kind := raw.Kind(); kind != '{' && kind != '[' {
		return append(out, raw...), nil
	}
	return jsontext.AppendFormat(out, raw, jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true))
}

// appendValue appends a value, null for a missing one. The text was read when the body was opened or the literal
// compiled, so that formatting it cannot fail.
func appendValue(out []byte, v *value) []byte {
	switch {
	case v == nil:
		return append(out, "null"...)
	case v.isCompact:
		return append(out, v.raw...)
	}
	longer, err := appendCompact(out, v.raw)
	if err != nil {
		return append(out, "null"...)
	}
	return longer
}
