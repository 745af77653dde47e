package console

import (
	"encoding/json"

	"github.com/millrace/millrace/schemas"
)

// mappingLine is a line of a mapping: what a run gets, and where from.
type mappingLine struct {
	Name string // as the API calls it, such as recipients or data.total
	Kind string // path, computed, literal, default, or none
	From string // the path, the expression, or the literal as JSON; "" for none
}

// How much of a mapping a page shows; the API has all of it.
const (
	shownMapping = 60  // rows
	shownFrom    = 600 // bytes of a row
)

// mappingLines writes a mapping as people read it, with what its defaults are.
func mappingLines(of schemas.Mapping) []mappingLine {
	rows := []mappingLine{
		mappingEntry("recipients", of.Recipients, mappingLine{"recipients", "default", "user_id"}),
		mappingEntry("actor", of.Actor, mappingLine{"actor", "none", ""}),
		mappingEntry("tenant", of.Tenant, mappingLine{"tenant", "none", ""}),
		mappingEntry("cancellation_key", of.CancellationKey, mappingLine{"cancellation_key", "none", ""}),
	}
	if len(of.Data) == 0 {
		return append(rows, mappingLine{"data", "default", "all properties"})
	}
	for _, key := range sortedKeys(of.Data) {
		rows = append(rows, mappingEntry("data."+key, of.Data[key], mappingLine{"data." + key, "none", ""}))
	}
	return rows
}

// mappingEntry reads an entry; an absent one is the default.
func mappingEntry(name string, entry json.RawMessage, absent mappingLine) mappingLine {
	if len(entry) == 0 || string(entry) == "null" {
		return absent
	}
	var path string
	if json.Unmarshal(entry, &path) == nil {
		return mappingLine{name, "path", path}
	}
	var made struct {
		Expr  *string         `json:"expr"`
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(entry, &made) == nil && made.Expr != nil {
		return mappingLine{name, "computed", *made.Expr}
	}
	if made.Value != nil {
		return mappingLine{name, "literal", string(made.Value)}
	}
	return mappingLine{name, "literal", string(entry)}
}

// IsCode tells whether where it comes from is text of the trigger's author.
func (r mappingLine) IsCode() bool { return r.Kind != "none" && r.From != "all properties" }

// Short is as much of it as a page shows.
func (r mappingLine) Short() string { return cut(r.From, shownFrom) }

// String is the row in one text, for comparing.
func (r mappingLine) String() string {
	switch r.Kind {
	case "none":
		return ""
	case "path":
		return r.From
	}
	return r.Kind + ": " + r.From
}
