package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/schemas"
)

// maxDataKeys bounds the entries of a mapping's data, so that one trigger cannot hold an event up for long.
const maxDataKeys = 200

// mapping is a compiled schemas.Mapping. The optional inputs are nil when left out.
type mapping struct {
	recipients      *input
	actor           *input
	tenant          *input
	cancellationKey *input
	data            []dataInput // by key; empty for all properties
}

type dataInput struct {
	key   string
	label []byte // the key as it stands in JSON, with its colon
	*input
}

func compileMapping(from schemas.Mapping) (mapping, error) {
	var m mapping
	var problems []error
	for _, field := range m.fields(from) {
		if isAbsent(field.entry) {
			continue
		}
		compiled, err := compileInput(field.name, field.entry)
		if err == nil {
			err = field.checkLiteral(compiled)
		}
		*field.into, problems = compiled, append(problems, err)
	}
	if m.recipients == nil {
		m.recipients = &input{name: "user_id", path: path{root: rootUserID}}
	}
	data, err := compileData(from)
	m.data = data
	return m, errors.Join(append(problems, err)...)
}

// mappedField is a member of a mapping other than data.
type mappedField struct {
	name  string
	entry []byte
	into  **input
	check func(name string, v *value) error // whether a value has the right shape
}

func (m *mapping) fields(from schemas.Mapping) []mappedField {
	return []mappedField{
		{"mapping.recipients", from.Recipients, &m.recipients, checkRecipients},
		{"mapping.actor", from.Actor, &m.actor, checkParty},
		{"mapping.tenant", from.Tenant, &m.tenant, checkParty},
		{"mapping.cancellation_key", from.CancellationKey, &m.cancellationKey, checkCancellationKey},
	}
}

// checkLiteral finds the shapes that are wrong for every event.
func (f mappedField) checkLiteral(in *input) error {
	if in.value == nil {
		return nil
	}
	v := &value{arena: &arena{}, raw: in.value}
	if v.kind() == 'n' {
		v = nil
	}
	if err := f.check(in.name, v); err != nil {
		return &CompileError{Field: f.name, Message: err.Error()}
	}
	return nil
}

func compileData(from schemas.Mapping) ([]dataInput, error) {
	if len(from.Data) > maxDataKeys {
		return nil, &CompileError{
			Field:   "mapping.data",
			Message: fmt.Sprintf("%d keys are mapped, at most %d are allowed; map an object as a whole", len(from.Data), maxDataKeys),
		}
	}
	var inputs []dataInput
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(from.Data)) {
		compiled, err := compileInput("mapping.data."+key, from.Data[key])
		inputs, problems = append(inputs, dataInput{key, append(quote(key), ':'), compiled}), append(problems, err)
	}
	return inputs, errors.Join(problems...)
}
