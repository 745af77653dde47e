package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/catalog/manifest"
	"github.com/millrace/millrace/processor/rules"
)

// applyLimit is the largest body of an apply, in bytes: some 20,000 triggers.
const applyLimit = 8 << 20

// ApplyRequest says what the catalog shall be.
type ApplyRequest struct {
	Resources []json.RawMessage `json:"resources"` // documents, see schemas/manifest.schema.json
	Prune     bool              `json:"prune"`     // whether other sources and triggers are deleted
	DryRun    bool              `json:"dry_run"`   // whether the plan is all that is wanted
	// Fingerprint is that of a plan: if what there is to do has become something else since, nothing is done.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// ApplyAnswer says what was done, or would be.
type ApplyAnswer struct {
	manifest.Plan
	Applied     bool   `json:"applied"`
	Fingerprint string `json:"fingerprint"` // of the plan
}

// applyRefusal is a problem with all that is wrong with the resources.
type applyRefusal struct {
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Problems manifest.Problems `json:"problems"`
}

// errPlanned ends a dry run before anything is written.
var errPlanned = errors.New("planned")

// apply makes the catalog what the resources say, all of it or nothing.
func (a *API) apply(c *fiber.Ctx) error {
	var in ApplyRequest
	if err := decode(c, &in); err != nil {
		return err
	}
	wanted, err := manifest.ReadResources(in.Resources)
	if problems := append(problemsIn(err), CheckTriggers(wanted)...); len(problems) > 0 {
		return refuseResources(c, problems)
	}
	if in.Prune && len(in.Resources) == 0 {
		return &problem{
			status: fiber.StatusUnprocessableEntity, Code: "invalid", Field: "prune",
			Message: "pruning without any resource would delete every source and trigger; leave prune out, or delete them by name",
		}
	}
	var plan manifest.Plan
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) (err error) {
		if plan, err = manifest.Apply(tx, wanted, in.Prune); err != nil {
			return err
		}
		if in.Fingerprint != "" && in.Fingerprint != fingerprint(plan) {
			return &problem{
				status: fiber.StatusPreconditionFailed, Code: "stale", Field: "fingerprint",
				Message: "the catalog has changed since the plan was made, and the plan with it; nothing was applied, make a new plan",
			}
		}
		if in.DryRun {
			return errPlanned
		}
		if slices.ContainsFunc(plan.Changes, func(c manifest.Change) bool { return c.Kind == manifest.KindEnvironment }) {
			return need(c, scopeAdmin)
		}
		return nil
	})
	if problems := problemsIn(err); len(problems) > 0 {
		return refuseResources(c, problems)
	}
	if err != nil && !errors.Is(err, errPlanned) {
		return err
	}
	if in.DryRun {
		plan = withoutNewIDs(plan)
	}
	return c.JSON(ApplyAnswer{Plan: plan, Applied: !in.DryRun, Fingerprint: fingerprint(plan)})
}

// export shows the whole catalog as apply takes it.
func (a *API) export(c *fiber.Ctx) error {
	resources, _, err := manifest.Export(a.reader.Snapshot()).Resources()
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"resources": resources})
}

// CheckTriggers compiles every condition and mapping and returns all that is wrong with them, once for each document.
func CheckTriggers(m manifest.Manifest) manifest.Problems {
	var found manifest.Problems
	checked := map[int]bool{}
	for _, trigger := range m.Triggers {
		if checked[trigger.Origin.Index] {
			continue
		}
		checked[trigger.Origin.Index] = true
		_, err := rules.Compile(trigger.Compiled())
		for _, fault := range compileErrors(err) {
			found = append(found, manifest.Problem{
				At: trigger.Origin.At(fault.Field), Resource: trigger.Origin.Index,
				Kind: manifest.KindTrigger, Name: trigger.Name, Environment: trigger.Environment,
				Field: fault.Field, Message: fault.Message, Line: fault.Line, Column: fault.Column,
			})
		}
	}
	return found
}

// compileErrors finds every *rules.CompileError in an error that joins them.
func compileErrors(err error) []*rules.CompileError {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		var all []*rules.CompileError
		for _, one := range several.Unwrap() {
			all = append(all, compileErrors(one)...)
		}
		return all
	}
	var one *rules.CompileError
	if errors.As(err, &one) {
		return []*rules.CompileError{one}
	}
	return nil
}

func problemsIn(err error) manifest.Problems {
	var found manifest.Problems
	errors.As(err, &found)
	return found
}

func refuseResources(c *fiber.Ctx, problems manifest.Problems) error {
	refusal := applyRefusal{Code: "invalid_resources", Message: oneLine(problems), Problems: problems}
	return c.Status(fiber.StatusUnprocessableEntity).JSON(fiber.Map{"error": refusal})
}

// withoutNewIDs drops the IDs of what a dry run has not created.
func withoutNewIDs(plan manifest.Plan) manifest.Plan {
	plan.Changes = slices.Clone(plan.Changes)
	for i, change := range plan.Changes {
		if change.Action == manifest.Create {
			plan.Changes[i].ID = ""
		}
	}
	return plan
}

// fingerprint is the same for plans that do the same.
func fingerprint(plan manifest.Plan) string {
	encoded, err := json.Marshal(withoutNewIDs(plan).Changes)
	if err != nil {
		return "" // it holds only JSON and texts
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
