package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// readTriggerForm returns what was posted, without the rows that nothing was typed into: what is wrong with a row is noted
// by its number.
func readTriggerForm(c *fiber.Ctx) triggerForm {
	form := formFrom(readForm(c).Values)
	form.space(0)
	return form
}

func (w *Console) createTrigger(c *fiber.Ctx) error {
	form := readTriggerForm(c)
	form.ID = ""
	call := api.Call{Method: http.MethodPost, Path: "/triggers", Body: form.members()}
	return w.putTrigger(c, &form, call, "trigger-created")
}

func (w *Console) saveTrigger(c *fiber.Ctx) error {
	form := readTriggerForm(c)
	form.ID = unescaped(c, "id")
	call := api.Call{Method: http.MethodPatch, Path: api.Path("triggers", form.ID), Body: form.members(), Revision: form.Revision}
	return w.putTrigger(c, &form, call, "trigger-saved")
}

// putTrigger makes the call, and shows the editor again where something is wrong.
func (w *Console) putTrigger(c *fiber.Ctx, form *triggerForm, call api.Call, what string) error {
	p := editorPage{Form: form, EventID: form.Value("event_id")}
	if len(form.Faults) > 0 {
		p.Refused = true
		return w.showEditor(c, http.StatusUnprocessableEntity, p)
	}
	var saved schemas.Trigger
	err := visitorOf(c).client.Do(c.UserContext(), call, &saved)
	if err == nil {
		return done(c, "/triggers/"+url.PathEscape(saved.ID), what)
	}
	status, shown := form.refuseTrigger(err)
	if !shown {
		return err
	}
	if status == http.StatusPreconditionFailed {
		now, err := readTrigger(c, form.ID)
		if err != nil {
			return err
		}
		p.compare(now)
	}
	p.Refused = len(form.Wrong()) > 0
	return w.showEditor(c, status, p)
}

// clash is what somebody has typed, and what somebody else has saved in its place.
type clash struct{ Label, Now, Typed string }

// compare shows what somebody else has saved. What was typed stays in the form, and can be saved over it.
func (p *editorPage) compare(now schemas.Trigger) {
	p.IsStale, p.Form.Problem = true, ""
	p.Form.Revision = now.Revision
	saved := formOf(now)
	for _, name := range textInputs() {
		p.differ(p.Form.label(name), saved.Value(name), p.Form.Value(name))
	}
	for i, input := range p.Form.Inputs {
		p.differ(input.Label, saved.Inputs[i].text(), input.text())
	}
	p.differ("Data", saved.dataText(), p.Form.dataText())
}

func (p *editorPage) differ(label, now, typed string) {
	if now != typed {
		p.Differs = append(p.Differs, clash{label, now, typed})
	}
}

// text writes the row for people to compare.
func (r mappingRow) text() string {
	if r.Value == "" {
		return ""
	}
	text := r.Value
	if r.Kind != kindPath && r.Kind != "" {
		text = r.Kind + ": " + text
	}
	if r.Key != "" {
		text = r.Key + " = " + text
	}
	return text
}

func (f *triggerForm) dataText() string {
	if f.TakesAll {
		return "all properties"
	}
	byKey := map[string]string{}
	for _, row := range f.Data {
		if !row.isEmpty() {
			byKey[row.Key] += row.text()
		}
	}
	lines := []string{}
	for _, key := range sortedKeys(byKey) {
		lines = append(lines, byKey[key])
	}
	return strings.Join(lines, "\n")
}
