package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog/manifest"
)

// The commands for the catalog as code.

// pruneConfig is shared by what plans.
type pruneConfig struct {
	Prune bool `help:"Delete the sources and triggers that the files do not have. Environments are never pruned: the keys of every endpoint in one would go with it; delete one with millrace env delete." env:"-"`
}

type applyCommand struct {
	Files   filesConfig  `embed:""`
	Prune   pruneConfig  `embed:""`
	IfEmpty bool         `help:"Do nothing where the catalog has a source already: what was changed since the first time stays." env:"-"`
	Yes     bool         `help:"Apply without asking. Needed where nobody can be asked." short:"y" env:"-"`
	Client  clientConfig `embed:""`
	Output  outputConfig `embed:""`
}

// Help is shown by --help.
func (applyCommand) Help() string {
	return "The plan is shown first (+ is created, ~ changed, - deleted) and what was confirmed is what is done: if the catalog " +
		"changes meanwhile, nothing is. It is applied as a whole or not at all. A document says everything about the thing it " +
		"names: what it leaves out has its default. Where the input is no terminal, or is the file (-f -), --yes is needed.\n\n" +
		"Exit status: 0 applied, or nothing to do; 1 refused or failed, and nothing was changed; 80 wrong flags.\n\n" +
		"Examples:\n\n  millrace apply -f catalog/\n\n  millrace apply -f catalog.yaml --prune --yes"
}

// Run plans, asks, and applies.
func (c *applyCommand) Run(ctx bound, tty terminal) error {
	if isBegun, err := c.isBegun(ctx); err != nil || isBegun {
		return err
	}
	planned, err := makePlan(ctx, c.Files, c.Prune, c.Client, tty)
	if err != nil {
		return err
	}
	answer := planned.answer
	plan := tty.out
	if c.Output.Output != "table" {
		plan = tty.err // for who is asked; the standard output is the answer's
	}
	writePlan(plan, answer.Plan)
	if len(answer.Changes) == 0 {
		return c.report(tty, answer, fmt.Sprintf("Nothing to do; %d unchanged.", answer.Unchanged))
	}
	if !c.Yes {
		tty.isInteractive = tty.isInteractive && !c.Files.isStandardInput()
		if err := tty.confirm(ctx, fmt.Sprintf("Apply? %s.", planSummary(answer.Plan))); err != nil {
			return err
		}
	}
	request := planned.request
	request.DryRun, request.Fingerprint = false, answer.Fingerprint
	applied, err := planned.client.Apply(ctx, request)
	if err != nil {
		return located(err, planned.origins)
	}
	return c.report(tty, applied, fmt.Sprintf("Applied: %d created, %d updated, %d deleted, %d unchanged.",
		applied.Count(manifest.Create), applied.Count(manifest.Update), applied.Count(manifest.Delete), applied.Unchanged))
}

// isBegun tells whether --if-empty has nothing to do.
func (c *applyCommand) isBegun(ctx bound) (bool, error) {
	if !c.IfEmpty {
		return false, nil
	}
	client, err := c.Client.connect()
	if err != nil {
		return false, err
	}
	sources, err := client.List(ctx, "/sources", nil)
	return len(sources) > 0, err
}

func (c *applyCommand) report(tty terminal, answer api.ApplyAnswer, sentence string) error {
	return c.Output.write(tty.out, answer, func(table *tabwriter.Writer) error {
		_, err := fmt.Fprintln(table, sentence)
		return err
	})
}

// plannedApply is a plan with what it was made of.
type plannedApply struct {
	client  *api.Client
	request api.ApplyRequest
	origins []manifest.Origin
	answer  api.ApplyAnswer
}

// makePlan reads the files and asks the API what there would be to do.
func makePlan(ctx bound, files filesConfig, prune pruneConfig, config clientConfig, tty terminal) (plannedApply, error) {
	client, err := config.connect()
	if err != nil {
		return plannedApply{}, err
	}
	wanted, err := files.read(tty)
	if err != nil {
		return plannedApply{}, err
	}
	resources, origins, err := wanted.Resources()
	if err != nil {
		return plannedApply{}, err
	}
	request := api.ApplyRequest{Resources: resources, Prune: prune.Prune, DryRun: true}
	answer, err := client.Apply(ctx, request)
	return plannedApply{client, request, origins, answer}, located(err, origins)
}

// located gives what the API refused its place in the files.
func located(err error, origins []manifest.Origin) error {
	var refused *api.RefusedError
	if errors.As(err, &refused) {
		refused.Locate(origins)
		return fmt.Errorf("nothing was changed:\n%w", err)
	}
	return err
}

type diffCommand struct {
	Files  filesConfig  `embed:""`
	Prune  pruneConfig  `embed:""`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (diffCommand) Help() string {
	return "It changes nothing.\n\nExit status: 0 no differences; 2 differences; 1 refused or failed; 80 wrong flags.\n\n" +
		"Example:\n\n  millrace diff -f catalog/ --prune"
}

// Run shows the plan.
func (c *diffCommand) Run(ctx bound, tty terminal) error {
	planned, err := makePlan(ctx, c.Files, c.Prune, c.Client, tty)
	if err != nil {
		return err
	}
	err = c.Output.write(tty.out, planned.answer, func(table *tabwriter.Writer) error {
		writePlan(tty.out, planned.answer.Plan)
		_, err := fmt.Fprintln(table, planSummary(planned.answer.Plan)+".")
		return err
	})
	if err == nil && len(planned.answer.Changes) > 0 {
		err = exitStatus(exitDifferent)
	}
	return err
}

type validateCommand struct {
	Files filesConfig `embed:""`
}

// Help is shown by --help.
func (validateCommand) Help() string {
	return "Works offline: it checks the files and compiles conditions and mappings. Whether a source or an environment that " +
		"the files do not define exists, only diff and apply can tell.\n\n" +
		"Exit status: 0 valid; 1 not valid; 80 wrong flags.\n\nExample:\n\n  millrace validate -f catalog/"
}

// Run checks the files.
func (c *validateCommand) Run(tty terminal) error {
	m, err := c.Files.read(tty)
	if err != nil {
		return err
	}
	fmt.Fprintf(tty.out, "Valid: %d environments, %d sources, %d triggers.\n", len(m.Environments), len(m.Sources), len(m.Triggers))
	return nil
}
