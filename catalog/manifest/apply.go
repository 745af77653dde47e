package manifest

import (
	"errors"
	"maps"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// Apply makes the catalog what the manifest says, as Compare plans it, within a change that is being put together. After
// an error, which holds the Problems of all resources, the change must be given up. Conditions and mappings must have
// been compiled before. What is already so is not written again.
func Apply(tx *catalog.Tx, m Manifest, prune bool) (Plan, error) {
	start := tx.Snapshot()
	plan, err := Compare(start, m, prune)
	if err != nil {
		return plan, err
	}
	a := applying{tx: tx, start: start, sourceIDs: map[string]string{}}
	for _, source := range start.Sources() {
		a.sourceIDs[source.Name] = source.ID
	}
	for i, change := range plan.Changes {
		id, origin, err := a.do(change, m)
		plan.Changes[i].ID = id
		a.problems = append(a.problems, problemsOf(change, origin, err)...)
	}
	return plan, a.problems.orNil()
}

type applying struct {
	tx        *catalog.Tx
	start     *catalog.Snapshot
	sourceIDs map[string]string // by name
	problems  Problems
}

// do makes one change and returns the resource's ID.
func (a *applying) do(change Change, m Manifest) (id string, origin Origin, err error) {
	switch {
	case change.Action == Delete && change.Kind == KindTrigger:
		return change.ID, origin, a.tx.DeleteTrigger(change.ID)
	case change.Action == Delete:
		return change.ID, origin, a.tx.DeleteSource(change.ID)
	case change.Kind == KindEnvironment:
		wanted := m.Environments[change.desired]
		return "", wanted.Origin, a.putEnvironment(wanted)
	case change.Kind == KindSource:
		wanted := m.Sources[change.desired]
		id, err = a.putSource(change.ID, wanted)
		return id, wanted.Origin, err
	}
	wanted := m.Triggers[change.desired]
	id, err = a.putTrigger(change.ID, wanted)
	return id, wanted.Origin, err
}

func (a *applying) putEnvironment(wanted Environment) error {
	environment, _ := a.start.Environment(wanted.Name)
	environment.Name, environment.Description, environment.Workflows = wanted.Name, wanted.Description, schemas.WorkflowAPI(wanted.WorkflowAPI)
	_, err := a.tx.PutEnvironment(environment)
	return err
}

func (a *applying) putSource(id string, wanted Source) (string, error) {
	var source schemas.Source
	snapshot := a.tx.Snapshot()
	if id != "" {
		source, _ = snapshot.Source(id)
	}
	source.Name, source.Description, source.Disabled = wanted.Name, wanted.Description, wanted.Disabled
	endpoints := map[string]schemas.Endpoint{}
	maps.Copy(endpoints, source.Endpoints)
	for _, environment := range snapshot.Environments() {
		settings, given := wanted.Endpoints[environment.Name]
		if !given {
			settings = defaultEndpoint()
		}
		e := endpoints[environment.Name] // with the key it has, or none
		e.DedupWindow, e.Disabled, e.MaxBytes, e.Signature = schemas.Window(settings.DedupWindow), settings.Disabled, settings.MaxBytes, settings.Signature
		endpoints[environment.Name] = e
	}
	source.Endpoints = endpoints
	put, err := a.tx.PutSource(source)
	a.sourceIDs[wanted.Name] = put.ID
	return put.ID, err
}

func (a *applying) putTrigger(id string, wanted Trigger) (string, error) {
	trigger, _ := a.start.Trigger(id)
	trigger.Name, trigger.Description, trigger.Environment = wanted.Name, wanted.Description, wanted.Environment
	trigger.SourceID, trigger.Event, trigger.Workflow = a.sourceIDs[wanted.Source], wanted.Event, wanted.Workflow
	trigger.Condition, trigger.Mapping, trigger.Status = wanted.Condition, wanted.Mapping, wanted.Status
	if trigger.Status == "" {
		trigger.Status = schemas.TriggerActive
	}
	put, err := a.tx.PutTrigger(trigger)
	return put.ID, err
}

// problemsOf turns what the catalog refused into problems of the resource, which a file calls by other names.
func problemsOf(change Change, origin Origin, err error) Problems {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		var all Problems
		for _, one := range several.Unwrap() {
			all = append(all, problemsOf(change, origin, one)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	problem := Problem{Resource: origin.Index, Kind: change.Kind, Name: change.Name, Environment: change.Environment, Message: err.Error()}
	var invalid *catalog.InvalidError
	if errors.As(err, &invalid) {
		problem.Field = invalid.Field
		if problem.Field == "source_id" {
			problem.Field = "source"
		}
	}
	problem.At = origin.At(problem.Field)
	return Problems{problem}
}
