package console

import (
	"encoding/json"

	"github.com/millrace/millrace/schemas"
)

// mappingRow is a line of a mapping: what a run gets, and where from.
type mappingRow struct {
	Name string // as the API calls it, such as recipients or data.total
	Kind string // path, computed, literal, default, or none
	From string // the path, the expression, or the literal as JSON; "" for none
}

// How much of a mapping a page shows; the API has all of it.
const (
	shownMapping = 60  // rows
	shownEntry   = 600 // bytes of a row
)

// mappingRows writes a mapping as people read it, with what its defaults are.
func mappingRows(of schemas.Mapping) []mappingRow {
	rows := []mappingRow{
		mappingEntry("recipients", of.Recipients, mappingRow{"recipients", "default", "user_id"}),
		mappingEntry("actor", of.Actor, mappingRow{"actor", "none", ""}),
		mappingEntry("tenant", of.Tenant, mappingRow{"tenant", "none", ""}),
		mappingEntry("cancellation_key", of.CancellationKey, mappingRow{"cancellation_key", "none", ""}),
	}
	if len(of.Data) == 0 {
		return append(rows, mappingRow{"data", "default", "all properties"})
	}
	for _, key := range sortedKeys(of.Data) {
		rows = append(rows, mappingEntry("data."+key, of.Data[key], mappingRow{"data." + key, "none", ""}))
	}
	return rows
}

// mappingEntry reads an entry; an absent one is the default.
func mappingEntry(name string, entry json.RawMessage, absent mappingRow) mappingRow {
	if len(entry) == 0 || string(entry) == "null" {
		return absent
	}
	var path string
	if json.Unmarshal(entry, &path) == nil {
		return mappingRow{name, "path", path}
	}
	var made struct {
		Expr  *string         `json:"expr"`
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(entry, &made) == nil && made.Expr != nil {
		return mappingRow{name, "computed", *made.Expr}
	}
	if made.Value != nil {
		return mappingRow{name, "literal", string(made.Value)}
	}
	return mappingRow{name, "literal", string(entry)}
}

// IsCode tells whether where it comes from is text of the trigger's author.
func (r mappingRow) IsCode() bool { return r.Kind != "none" && r.From != "all properties" }

// Short is as much of it as a page shows.
func (r mappingRow) Short() string { return cut(r.From, shownEntry) }

// String is the row in one text, for comparing.
func (r mappingRow) String() string {
	switch r.Kind {
	case "none":
		return ""
	case "path":
		return r.From
	}
	return r.Kind + ": " + r.From
}
