package schemas

import (
	"errors"
	"fmt"
	"strconv"
)

// Version is the version of every record that this release writes: one that the release before it reads, so that any two
// adjacent releases run side by side. docs/adr/0022-record-versions.md says when it grows.
const Version = 1

// oldest and newest are the versions that this release reads.
const (
	oldest = 1
	newest = 1
)

// VersionError says that a record is of a version that this release does not read. It is no garbage: whoever passes over
// it loses what it holds, so a reader stops in front of it and leaves it to a release that understands it.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	if e.Version > newest {
		return fmt.Sprintf("written by a newer version of Millrace (schema %d, this one reads up to %d): upgrade this process first", e.Version, newest)
	}
	return fmt.Sprintf("written by an older version of Millrace (schema %d, this one reads from %d on): let the release before this one read it first", e.Version, oldest)
}

// IsOtherVersion reports whether an error says that a record is of a version that this release does not read.
func IsOtherVersion(err error) bool {
	var other *VersionError
	return errors.As(err, &other)
}

// checkVersion fails with a VersionError on what another release has written, and with another error on what none has.
func checkVersion(version int) error {
	switch {
	case version < 1:
		return fmt.Errorf("schema version %d: no release writes it", version)
	case version < oldest || version > newest:
		return &VersionError{version}
	}
	return nil
}

// schemaHeader is the version of an events record, whose value has no place for one. Without it, it is the first.
const schemaHeader = "schema"

// checkHeaders is checkVersion for an events record.
func checkHeaders[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) error {
	for _, header := range headers {
		if Header(header).Key != schemaHeader {
			continue
		}
		version, err := strconv.Atoi(string(Header(header).Value))
		if err == nil {
			err = checkVersion(version)
		}
		if err != nil && !IsOtherVersion(err) {
			return fmt.Errorf("%w: header %s: %w", ErrNotAnEvent, schemaHeader, err)
		}
		return err
	}
	return nil
}
