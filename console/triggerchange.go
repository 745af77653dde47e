package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// What the forms on a trigger's page and the buttons in the list do.

// triggerChange is one of them: a call, and where what is wrong with it is shown.
type triggerChange struct {
	call   api.Call
	into   any
	inputs []string
	at     func(*triggerPage) *form
}

// changeTrigger makes the call. Where it is refused, the page is shown with why, and isDone is false.
func (w *Console) changeTrigger(c *fiber.Ctx, posted form, change triggerChange) (isDone bool, err error) {
	change.call.Revision, _ = strconv.ParseInt(posted.Value("revision"), 10, 64)
	err = visitorOf(c).client.Do(c.UserContext(), change.call, change.into)
	if err == nil {
		return true, nil
	}
	status, canShow := posted.refuse(err, change.inputs...)
	if !canShow || status == http.StatusForbidden {
		return false, err
	}
	shown, readErr := w.readTrigger(c)
	if readErr != nil {
		return false, readErr
	}
	if status == http.StatusPreconditionFailed {
		posted.Problem = "Somebody else has changed the trigger since this page was loaded. What it is now stands below; do it again where need be."
	}
	*change.at(&shown) = posted
	return false, w.showTriggerAs(c, status, shown)
}

func ofTrigger(page *triggerPage) *form { return &page.Form }

// triggerPath is the path of a trigger in the API.
func triggerPath(c *fiber.Ctx, more ...string) string {
	return api.Path(append([]string{"triggers", unescaped(c, "id")}, more...)...)
}

// switchTrigger activates a trigger or deactivates it, and leads back to where the button was.
func (w *Console) switchTrigger(c *fiber.Ctx) error {
	posted := readForm(c)
	wanted := schemas.TriggerStatus(posted.Value("status"))
	isDone, err := w.changeTrigger(c, posted, triggerChange{
		call: api.Call{Method: http.MethodPatch, Path: triggerPath(c), Body: map[string]any{"status": wanted}}, at: ofTrigger,
	})
	if !isDone {
		return err
	}
	what := "trigger-deactivated"
	if wanted == schemas.TriggerActive {
		what = "trigger-activated"
	}
	if !posted.Values.Has("back") {
		return done(c, "/triggers/"+url.PathEscape(unescaped(c, "id")), what)
	}
	return c.Redirect("/triggers?"+backToList(posted.Value("back"), what).Encode(), fiber.StatusSeeOther)
}

// backToList is the search of the list that the button was in, and what has been done.
func backToList(search, what string) url.Values {
	address := url.Values{"done": {what}}
	parsed, err := url.ParseQuery(search)
	if err != nil {
		return address
	}
	for _, name := range append(triggerFilters(), "cursor") {
		if parsed.Has(name) {
			address.Set(name, parsed.Get(name))
		}
	}
	return address
}

func (w *Console) copyTrigger(c *fiber.Ctx) error {
	posted := readForm(c)
	var created schemas.Trigger
	isDone, err := w.changeTrigger(c, posted, triggerChange{
		call: api.Call{Method: http.MethodPost, Path: triggerPath(c, "copy"), Body: map[string]any{
			"environment": posted.Value("environment"), "name": posted.Value("name"),
		}},
		into: &created, inputs: []string{"environment", "name"}, at: func(page *triggerPage) *form { return &page.Copy },
	})
	if !isDone {
		return err
	}
	return done(c, "/triggers/"+url.PathEscape(created.ID), "trigger-copied")
}

func (w *Console) deleteTrigger(c *fiber.Ctx) error {
	isDone, err := w.changeTrigger(c, readForm(c), triggerChange{call: api.Call{Method: http.MethodDelete, Path: triggerPath(c)}, at: ofTrigger})
	if !isDone {
		return err
	}
	return done(c, "/triggers", "trigger-deleted")
}

// restoreTrigger makes the trigger what it was at a revision, which the form says the time of.
func (w *Console) restoreTrigger(c *fiber.Ctx) error {
	posted := readForm(c)
	was, err := revisionAt(c, posted.Value("at"))
	if err != nil {
		return err
	}
	client, path := visitorOf(c).client, "/triggers/"+url.PathEscape(unescaped(c, "id"))
	var now schemas.Trigger
	if err := client.Get(c.UserContext(), triggerPath(c), &now); err != nil {
		return err
	}
	if len(changesBetween(contents(was), contents(now))) == 0 {
		return done(c, path, "trigger-same")
	}
	isDone, err := w.changeTrigger(c, posted, triggerChange{
		call: api.Call{Method: http.MethodPatch, Path: triggerPath(c), Body: map[string]any{
			"environment": was.Environment, "source_id": was.SourceID, "name": was.Name, "description": was.Description, "event": was.Event,
			"workflow": was.Workflow, "condition": was.Condition, "mapping": was.Mapping,
		}}, at: ofTrigger,
	})
	if !isDone {
		return err
	}
	return done(c, path, "trigger-restored")
}

// revisionAt finds the revision that the path names in the audit log, of the second in which it was made.
func revisionAt(c *fiber.Ctx, made string) (schemas.Trigger, error) {
	at, err := time.Parse(time.RFC3339Nano, made)
	if err != nil {
		return schemas.Trigger{}, fiber.NewError(fiber.StatusBadRequest, "The form does not say when the revision was made; load the trigger's page again.")
	}
	at = at.UTC().Truncate(time.Millisecond)
	id := unescaped(c, "id")
	found, err := visitorOf(c).client.Audit(c.UserContext(), url.Values{
		"kind": {"trigger"}, "resource": {id}, "limit": {"500"},
		"since": {at.Format(time.RFC3339Nano)}, "until": {at.Add(time.Second).Format(time.RFC3339Nano)},
	})
	if err != nil {
		return schemas.Trigger{}, err
	}
	for _, item := range found.Items {
		if item.ResourceID != id || strconv.FormatInt(item.Revision, 10) != c.Params("revision") || isNull(item.After) {
			continue
		}
		read := revision{AuditItem: item}
		err := read.read(new(int))
		return read.after, err
	}
	return schemas.Trigger{}, fiber.NewError(fiber.StatusNotFound, "The audit log has no such revision of this trigger.")
}
