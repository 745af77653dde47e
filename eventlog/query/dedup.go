package query

import "time"

// Dedup says how many events were repeats, and how many triggers matched.
type Dedup struct {
	Since    time.Time      `json:"since"`
	Until    time.Time      `json:"until"`
	Items    []DedupItem    `json:"items"`    // by time; steps without an event are left out
	Triggers []TriggerMatch `json:"triggers"` // those asked most often first
}

// DedupItem is about the events of one step.
type DedupItem struct {
	At         time.Time `json:"at"`
	Events     uint64    `json:"events"` // that were decided about
	Duplicates uint64    `json:"duplicates"`
	Processed  uint64    `json:"processed"`
	NoTrigger  uint64    `json:"no_trigger"`
	Failed     uint64    `json:"failed"`
	Matched    uint64    `json:"matched"`    // that started a run
	DedupRate  float64   `json:"dedup_rate"` // Duplicates of Events, 0 to 1
	MatchRate  float64   `json:"match_rate"` // Matched of the others, 0 to 1
}

// TriggerMatch says what one trigger did with the events it was asked about.
type TriggerMatch struct {
	TriggerID      string  `json:"trigger_id"`
	Workflow       string  `json:"workflow"`
	Considered     uint64  `json:"considered"`
	Matched        uint64  `json:"matched"`
	ConditionFalse uint64  `json:"condition_false"`
	Inactive       uint64  `json:"inactive"`
	MappingError   uint64  `json:"mapping_error"`
	ConditionError uint64  `json:"condition_error"`
	MatchRate      float64 `json:"match_rate"` // Matched of Considered, 0 to 1
}
