package console

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"github.com/millrace/millrace/schemas"
)

// triggerForm is a trigger as the inputs of the editor hold it, and what is wrong with it. An input has the name that the
// API calls the same thing; the rows of data are numbered.
type triggerForm struct {
	form            // the inputs of one text
	ID       string // "" of one that is not saved
	Revision int64
	Inputs   []mappedInput // of the mapping, but for data
	TakesAll bool          // data is all properties
	Data     []mappingRow
	Faults   []fault // of conditions and mappings
}

// mappedInput is an input of workflows.
type mappedInput struct {
	Name, Label, Help, Placeholder string
	mappingRow
}

// Row is what is filled in.
func (i mappedInput) Row() mappingRow { return i.mappingRow }

// mappedInputs are those but for data, with nothing filled in.
func mappedInputs() []mappedInput {
	return []mappedInput{
		{Name: "mapping.recipients", Label: "Recipients", Placeholder: "user_id", Help: "Whom the run is for. Empty takes the event's user_id."},
		{Name: "mapping.actor", Label: "Actor", Help: "Who has caused it. Empty leaves it out, as with the two below."},
		{Name: "mapping.tenant", Label: "Tenant", Help: "On whose behalf the run is."},
		{Name: "mapping.cancellation_key", Label: "Cancellation key", Help: "By which the run can be cancelled later."},
	}
}

// textInputs are the names of the inputs of one text.
func textInputs() []string {
	return []string{"environment", "source_id", "event", "condition", "workflow", "name", "description", "status"}
}

// shownIn is a text as its input can hold it.
func shownIn(name, text string) string {
	if name == "condition" || name == "description" {
		return plain(text)
	}
	return flat(text)
}

// wasSuffix ends the name of what holds a text that its input cannot hold as it is.
const wasSuffix = ".was"

func formOf(t schemas.Trigger) triggerForm {
	f := triggerForm{ID: t.ID, Revision: t.Revision, Inputs: mappedInputs(), TakesAll: len(t.Mapping.Data) == 0}
	f.Values = url.Values{}
	texts := []string{t.Environment, t.SourceID, t.Event, t.Condition, t.Workflow, t.Name, t.Description, string(t.Status)}
	for i, name := range textInputs() {
		shown := shownIn(name, texts[i])
		f.Values.Set(name, shown)
		if shown != texts[i] {
			f.Values.Set(name+wasSuffix, mustJSON(texts[i]))
		}
	}
	for i, entry := range []json.RawMessage{t.Mapping.Recipients, t.Mapping.Actor, t.Mapping.Tenant, t.Mapping.CancellationKey} {
		if len(entry) > 0 && string(entry) != "null" {
			f.Inputs[i].mappingRow = rowOf("", entry)
		}
	}
	for _, key := range sortedKeys(t.Mapping.Data) {
		row := rowOf(key, t.Mapping.Data[key])
		if row.Key == "" {
			row.Was = mustJSON(wasEntry{key, t.Mapping.Data[key]}) // a key that nobody would type
		}
		f.Data = append(f.Data, row)
	}
	return f
}

// formFrom reads what was posted.
func formFrom(values url.Values) triggerForm {
	for _, list := range values {
		for i := range list {
			list[i] = plain(list[i])
		}
	}
	f := triggerForm{ID: values.Get("id"), Inputs: mappedInputs(), TakesAll: values.Get("data") != "chosen"}
	f.Values = values
	f.Revision, _ = strconv.ParseInt(values.Get("revision"), 10, 64)
	for i, input := range f.Inputs {
		f.Inputs[i].mappingRow = rowFrom(values, input.Name, 0)
	}
	for i := range values["data.value"] {
		f.Data = append(f.Data, rowFrom(values, "data", i))
	}
	return f
}

func rowFrom(values url.Values, name string, i int) mappingRow {
	at := func(part string) string {
		if list := values[name+part]; i < len(list) {
			return list[i]
		}
		return ""
	}
	return mappingRow{Key: at(".key"), Kind: at(".kind"), Value: at(".value"), Was: at(wasSuffix)}
}

// spareRows are how many empty rows stand below those of data, and how many more there are on request.
const (
	spareRows = 1
	addedRows = 4
)

// space drops rows without anything in them, and adds some.
func (f *triggerForm) space(spare int) {
	f.Data = slices.DeleteFunc(f.Data, mappingRow.isEmpty)
	f.Data = append(f.Data, make([]mappingRow, spare)...)
}

// text is what the input says: what it was, unless somebody has changed that.
func (f *triggerForm) text(name string) string {
	var was string
	if err := json.Unmarshal([]byte(f.Value(name+wasSuffix)), &was); err == nil && shownIn(name, was) == f.Value(name) {
		return was
	}
	return f.Value(name)
}

// members are what the API is to save, or to preview. What cannot be read is among the faults.
func (f *triggerForm) members() map[string]any {
	members := map[string]any{"mapping": f.mapping()}
	for _, name := range textInputs() {
		members[name] = f.text(name)
	}
	return members
}

func (f *triggerForm) mapping() schemas.Mapping {
	var m schemas.Mapping
	for i, into := range []*json.RawMessage{&m.Recipients, &m.Actor, &m.Tenant, &m.CancellationKey} {
		input := f.Inputs[i]
		if input.Value == "" {
			continue
		}
		_, entry, err := input.entry()
		if err != nil {
			f.blameInput(input.Name, err.Error())
		}
		*into = entry
	}
	if f.TakesAll {
		return m
	}
	m.Data = map[string]json.RawMessage{}
	for i, row := range f.Data {
		if !row.isEmpty() {
			f.mapRow(m.Data, i, row)
		}
	}
	if len(m.Data) == 0 && len(f.Faults) == 0 {
		f.blameInput("data", "fill in a row, or take all properties")
	}
	return m
}

func (f *triggerForm) mapRow(data map[string]json.RawMessage, i int, row mappingRow) {
	key, entry, err := row.entry()
	_, isTaken := data[key]
	_, isAsItWas := row.unchanged()
	switch {
	case err != nil:
		f.blameInput(rowID(i), err.Error())
	case isTaken:
		f.blameInput(rowID(i), "another row has this key")
	case key == "" && !isAsItWas:
		f.blameInput(rowID(i), "give it a key: what the workflow calls it")
	default:
		data[key] = entry
	}
}

// RowID is the ID of the input of a row's value.
func (*triggerForm) RowID(i int) string { return rowID(i) }

// rowID is the ID of the input of a row's value.
func rowID(i int) string { return "data-" + strconv.Itoa(i) }
