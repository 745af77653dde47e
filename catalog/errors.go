package catalog

import (
	"errors"
	"fmt"
)

// ErrNotFound is what a change of something that does not exist fails with.
var ErrNotFound = errors.New("not found")

// InUseError says why something cannot be removed, renamed or brought into another state, and what to do first.
type InUseError struct{ Message string }

func (e *InUseError) Error() string { return e.Message }

// ForeignError says of what another version of Millrace has written that this one would lose some of it by a change. It is
// an InUseError, too: to its user it is no other.
type ForeignError struct{ InUseError }

func (e *ForeignError) Unwrap() error { return &e.InUseError }

func foreign(format string, args ...any) error {
	return &ForeignError{InUseError{fmt.Sprintf(format, args...)}}
}

// InvalidError says which field of an environment, source, trigger or replay cannot be saved and why.
type InvalidError struct {
	Field   string
	Message string
}

func (e *InvalidError) Error() string { return e.Message }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// StaleError says that a change was made for another revision than the current one.
type StaleError struct{ Want, Current int64 }

func (e *StaleError) Error() string {
	return fmt.Sprintf("the change was meant for revision %d and the current revision is %d: somebody else was faster; read it again and repeat the change", e.Want, e.Current)
}

// CheckRevision returns a *StaleError where want is not the current revision. 0 wants any.
func CheckRevision(want, current int64) error {
	if want == 0 || want == current {
		return nil
	}
	return &StaleError{want, current}
}
