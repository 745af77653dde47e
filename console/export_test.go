package console

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// ThroughForm is what becomes of a trigger that is opened in the editor and saved as it is, and how much is said to be
// wrong with it. Browsers send line breaks as CRLF, and let an input of one line have none.
func ThroughForm(trigger schemas.Trigger) (members map[string]any, faults int) {
	form := formOf(trigger)
	sent := url.Values{"id": {form.ID}, "data": {"chosen"}}
	if form.TakesAll {
		sent.Set("data", "all")
	}
	long := func(name, value string) {
		sent.Add(name, strings.TrimSpace(strings.ReplaceAll(value, "\n", "\r\n")))
	}
	line := func(name, value string) { sent.Add(name, strings.TrimSpace(strings.ReplaceAll(value, "\n", ""))) }
	for name := range form.Values {
		add := line
		if name == "condition" || name == "description" {
			add = long
		}
		add(name, form.Value(name))
	}
	row := func(name string, row mappingRow) {
		line(name+".key", row.Key)
		line(name+".kind", row.Kind)
		line(name+".was", row.Was)
		add := line
		if row.IsLong() {
			add = long
		}
		add(name+".value", row.Value)
	}
	for _, input := range form.Inputs {
		row(input.Name, input.mappingRow)
	}
	for _, one := range append(form.Data, mappingRow{Kind: kindPath}) {
		row("data", one)
	}
	back := formFrom(sent)
	return back.members(), len(back.Faults)
}

// FormBody is what would be saved of a form that was posted.
func FormBody(posted url.Values) ([]byte, error) {
	form := formFrom(posted)
	form.space(0)
	return json.Marshal(form.members())
}
