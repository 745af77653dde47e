package rules

import (
	"errors"
	"fmt"
)

// maxRecipients bounds a run, as the workflow API does.
const maxRecipients = 1000

// errEmpty says that something has no ID because it is an empty string.
var errEmpty = errors.New("is empty")

// partyID returns the ID of a recipient, an actor or a tenant: a string that is not empty, or an object with such an
// id. The error ends a sentence that begins with the value's name.
func partyID(v *value) (string, error) {
	id := v
	switch {
	case v == nil:
		return "", errors.New("is missing")
	case v.kind() == '{':
		if id = v.member("id"); id == nil || id.kind() != '"' {
			return "", fmt.Errorf("must have an id that is a string; its id is %s", id.describe())
		}
	case v.kind() != '"':
		return "", fmt.Errorf("must be a string or an object with an id; it is %s", v.describe())
	}
	if text := id.text(); text != "" {
		return text, nil
	}
	if id != v {
		return "", errors.New("must have an id; its id is empty")
	}
	return "", errEmpty
}

// checkRecipients checks one recipient or a list of them. Lists inside the list are not flattened.
func checkRecipients(name string, v *value) error {
	if v == nil || v.kind() != '[' {
		if _, err := partyID(v); err != nil {
			return needsRecipient(name, v, err)
		}
		return nil
	}
	if err := v.open(); err != nil {
		return err
	}
	if len(v.level.members) == 0 {
		return needsRecipient(name, nil, errEmpty)
	}
	if len(v.level.members) > maxRecipients {
		return fmt.Errorf("%s has %d recipients; a run takes at most %d", name, len(v.level.members), maxRecipients)
	}
	for i := range v.level.members {
		if _, err := partyID(&v.level.members[i].value); err != nil {
			return fmt.Errorf("item %d of %s %w", i, name, err)
		}
	}
	return nil
}

func needsRecipient(name string, v *value, err error) error {
	if v == nil || errors.Is(err, errEmpty) {
		return fmt.Errorf("%s %w; a run needs at least one recipient", name, err)
	}
	return fmt.Errorf("%s %w", name, err)
}

// checkParty checks an actor or a tenant. One that is missing or empty is left out of the request.
func checkParty(name string, v *value) error {
	if v == nil {
		return nil
	}
	if _, err := partyID(v); err != nil && !errors.Is(err, errEmpty) {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}

// checkCancellationKey accepts a number, too: its text is the key.
func checkCancellationKey(name string, v *value) error {
	if v == nil || v.kind() == '"' || v.kind() == '0' {
		return nil
	}
	return fmt.Errorf("%s must be a string or a number; it is %s", name, v.describe())
}
