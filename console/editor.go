package console

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// routeEditor lists the pages of this part.
func (w *Console) routeEditor(app fiber.Router) {
	app.Get("/triggers/new", w.newTrigger)
	app.Post("/triggers/preview", w.previewTrigger)
	app.Post("/triggers", w.createTrigger)
	app.Get("/triggers/:id/edit", w.editTrigger)
	app.Post("/triggers/:id", w.saveTrigger)
}

// editorPage is a trigger as it is edited, and beside it what it would do.
type editorPage struct {
	Form      *triggerForm
	Choices   choices
	Workflows []any         // keys that triggers have
	EventID   string        // the event that it is edited for; "" for none in particular
	Refused   bool          // it could not be saved
	IsStale   bool          // somebody else has saved it meanwhile
	Differs   []clash       // from what they have saved
	Preview   part[preview] // of recent events
	Fields    part[fields]  // of recent events
}

// maxWorkflows is how many keys of workflows are suggested.
const maxWorkflows = 200

// Title is what the page is called.
func (p editorPage) Title() string {
	if p.Form.ID == "" {
		return "New trigger"
	}
	return "Edit trigger"
}

// Action is where the form goes.
func (p editorPage) Action() string {
	if p.Form.ID == "" {
		return "/triggers"
	}
	return "/triggers/" + url.PathEscape(p.Form.ID)
}

// IsLoading tells whether something beside the form is still to come.
func (p editorPage) IsLoading() bool { return p.Preview.Loading || p.Fields.Loading }

// Kinds are the kinds of an entry of a mapping.
func (editorPage) Kinds() []option {
	return []option{{kindPath, "path"}, {kindExpression, "expression"}, {kindLiteral, "literal"}}
}

// Statuses are what a trigger can be.
func (editorPage) Statuses() []option {
	return []option{{string(schemas.TriggerActive), "active: it starts runs"}, {string(schemas.TriggerInactive), "inactive: it starts none yet"}}
}

// newTrigger shows an empty form, with what the address says filled in. event_id names an event whose like it is for.
func (w *Console) newTrigger(c *fiber.Ctx) error {
	start := schemas.Trigger{Environment: c.Query("environment"), SourceID: c.Query("source"), Event: c.Query("event"), Status: schemas.TriggerActive}
	id := c.Query("event_id")
	if id != "" {
		event, err := visitorOf(c).client.Event(c.UserContext(), id)
		if err != nil {
			return err
		}
		start.Environment, start.SourceID, start.Event = event.Environment, event.SourceID, event.Event
	}
	form := formOf(start)
	return w.showEditor(c, fiber.StatusOK, editorPage{Form: &form, EventID: id})
}

func (w *Console) editTrigger(c *fiber.Ctx) error {
	trigger, err := readTrigger(c, unescaped(c, "id"))
	if err != nil {
		return err
	}
	form := formOf(trigger)
	return w.showEditor(c, fiber.StatusOK, editorPage{Form: &form, EventID: c.Query("event_id")})
}

func readTrigger(c *fiber.Ctx, id string) (trigger schemas.Trigger, err error) {
	err = visitorOf(c).client.Get(c.UserContext(), api.Path("triggers", id), &trigger)
	return trigger, err
}

// showEditor shows the form with what there is to choose from, and beside it what it would do as it stands.
func (w *Console) showEditor(c *fiber.Ctx, status int, p editorPage) error {
	p.Form.space(spareRows)
	if c.Method() == http.MethodPost && p.Form.Value("add") != "" {
		p.Form.space(addedRows)
	}
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		p.Choices, err = choicesFor(ctx, visitorOf(c).client)
		return err
	})
	group.Go(func() error {
		workflows, err := listOf[api.Workflow](ctx, visitorOf(c).client, "/workflows", nil)
		p.Workflows = keysOf(workflows)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	p.choose()
	if err := p.readBeside(c); err != nil {
		return err
	}
	return w.show(c, status, page{Name: "triggeredit", Title: p.Title(), Section: "/triggers", Loading: p.IsLoading(), Content: p})
}

// keysOf lists the keys of workflows, each once.
func keysOf(workflows []api.Workflow) []any {
	known := map[string]bool{}
	for _, workflow := range workflows {
		known[workflow.Key] = true
	}
	keys := []any{}
	for _, key := range sortedKeys(known) {
		keys = append(keys, key)
	}
	return keys[:min(len(keys), maxWorkflows)]
}

// choose fills in what there is only one of, and the ID of a source that the address calls by its name.
func (p *editorPage) choose() {
	chosen := p.Form.Values
	if len(p.Choices.Environments) == 1 && chosen.Get("environment") == "" {
		chosen.Set("environment", p.Choices.Environments[0].Value)
	}
	for _, source := range p.Choices.Sources {
		if chosen.Get("source_id") == source.Name || len(p.Choices.Sources) == 1 && chosen.Get("source_id") == "" {
			chosen.Set("source_id", source.Value)
		}
	}
}

// readBeside asks what the trigger would do, and what the events have that it could look at. An answer to a form waits
// for that, because it cannot be asked for again; another page comes without what takes long.
func (p *editorPage) readBeside(c *fiber.Ctx) error {
	limited, cancel := inTime(c)
	if c.Method() == http.MethodPost {
		limited, cancel = context.WithCancel(c.UserContext())
	}
	defer cancel()
	client, asked := visitorOf(c).client, p.Form.members()
	group, _ := errgroup.WithContext(limited)
	group.Go(func() error {
		shown, err := previewOf(limited, client, p, asked)
		return p.Preview.ask(limited, shown, err)
	})
	group.Go(func() error {
		shown, err := fieldsOf(limited, client, p.Form)
		return p.Fields.ask(limited, shown, err)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	p.Form.notePreview(p.Preview.Value)
	p.Form.noteRare(p.Fields.Value)
	return nil
}
