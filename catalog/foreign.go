package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// unreadable says of a record that this version cannot read why that is, and whether the version of the record is why.
type unreadable struct {
	reason         string
	isOtherVersion bool
}

// Foreign returns the record keys of what other versions of Millrace have written and this one does not read, sorted:
// what is known of these is out of date, or nothing. Who decides by the catalog waits while there are any.
func (s *Snapshot) Foreign() (keys []string) {
	if s.unreadable.size == 0 {
		return nil
	}
	for key, record := range s.unreadable.all() {
		if record.isOtherVersion {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// IsForeignEnvironment reports whether what is known of an environment is out of date in that way.
func (s *Snapshot) IsForeignEnvironment(name string) bool { return s.isForeign(environmentKey(name)) }

// IsForeignReplay reports the same of a replay.
func (s *Snapshot) IsForeignReplay(id string) bool { return s.isForeign(replayKey(id)) }

func (s *Snapshot) isForeign(key string) bool {
	record, _ := s.unreadable.get(key)
	return record.isOtherVersion
}

// WaitingFor says for what a role waits that waits while there is anything foreign, or nothing.
func (s *Snapshot) WaitingFor() (missing []string) {
	if keys := s.Foreign(); len(keys) > 0 {
		missing = append(missing, fmt.Sprintf("the catalog holds what a newer version of Millrace has written: upgrade this process first (%s)", shortList(keys)))
	}
	return missing
}

// listed is how many names a message has at most.
const listed = 3

func shortList(names []string) string {
	text := strings.Join(names[:min(len(names), listed)], ", ")
	if more := len(names) - listed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
