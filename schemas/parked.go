package schemas

import (
	"encoding/json"
	"fmt"
	"time"
)

// RunMeta is what the headers of a record in the runs and retry topics say beside the run. A record that the processor
// wrote has none of them.
type RunMeta struct {
	Due      time.Time // not to be tried before
	Key      string    // of the record in the runs topic: the order it belongs to
	Parked   int       // how often it was put into a retry topic after an attempt, or instead of one
	Attempts []Attempt // so far
	Resent   time.Time // when somebody sent it again: its age counts from then
}

// Names of the headers of a record in the runs and retry topics, and the one that a delivery has.
const (
	dueHeader      = "due"
	keyHeader      = "key"
	parkedHeader   = "parked"
	attemptsHeader = "attempts"
	resentHeader   = "resent"
	outcomeHeader  = "outcome"
)

// RunHeaders returns the headers that hold meta. H is the client's header type.
func RunHeaders[H ~struct {
	Key   string
	Value []byte
}](meta RunMeta,
) ([]H, error) {
	var headers []H
	add := func(name string, value []byte) { headers = append(headers, H(Header{name, value})) }
	if !meta.Due.IsZero() {
		// Rounded up: a run must not be tried before it is due, not by a part of a millisecond.
		due := meta.Due.UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
		add(dueHeader, due.AppendFormat(nil, headerTimeFormat))
	}
	if meta.Key != "" {
		add(keyHeader, []byte(meta.Key))
	}
	if meta.Parked > 0 {
		add(parkedHeader, fmt.Append(nil, meta.Parked))
	}
	if !meta.Resent.IsZero() {
		add(resentHeader, meta.Resent.UTC().AppendFormat(nil, headerTimeFormat))
	}
	if len(meta.Attempts) > 0 {
		attempts, err := json.Marshal(meta.Attempts)
		if err != nil {
			return nil, fmt.Errorf("encoding the attempts of a run: %w", err)
		}
		add(attemptsHeader, attempts)
	}
	return headers, nil
}

// ReadRunMeta reads what RunHeaders wrote. Unknown headers are ignored.
func ReadRunMeta[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) (RunMeta, error) {
	var meta RunMeta
	for _, header := range headers {
		if err := meta.set(Header(header)); err != nil {
			return meta, fmt.Errorf("header %s of a run: %w", Header(header).Key, err)
		}
	}
	return meta, nil
}

func (m *RunMeta) set(header Header) (err error) {
	switch header.Key {
	case dueHeader:
		m.Due, err = time.Parse(headerTimeFormat, string(header.Value))
	case resentHeader:
		m.Resent, err = time.Parse(headerTimeFormat, string(header.Value))
	case keyHeader:
		m.Key = string(header.Value)
	case parkedHeader:
		err = json.Unmarshal(header.Value, &m.Parked)
	case attemptsHeader:
		err = json.Unmarshal(header.Value, &m.Attempts)
	}
	return err
}

// DeliveryHeader returns the header that tells a delivery's outcome, so that its reader need not decode the record.
func DeliveryHeader[H ~struct {
	Key   string
	Value []byte
}](outcome DeliveryOutcome,
) H {
	return H(Header{outcomeHeader, []byte(outcome)})
}

// IsDelivered reports whether a delivery's headers say that the workflow API has taken the run.
func IsDelivered[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) bool {
	for _, header := range headers {
		if Header(header).Key == outcomeHeader {
			return string(Header(header).Value) == string(Delivered)
		}
	}
	return false
}
