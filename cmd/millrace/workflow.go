package main

type workflowCommands struct {
	List workflowList `cmd:"" help:"List the workflows that triggers name."`
}

type workflowList struct {
	Environment string       `help:"Only those of this environment." short:"e" env:"-" placeholder:"NAME"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (workflowList) Help() string {
	return "Millrace knows a workflow by the triggers that name its key; the workflow itself lives at the workflow API.\n\n" +
		"Example:\n\n  millrace workflow list --environment=production"
}

// workflow is what the API says about one.
type workflow struct {
	Key         string `json:"key"`
	Environment string `json:"environment"`
	Triggers    int    `json:"triggers"`
	Active      int    `json:"active"`
}

// Run lists the workflows.
func (c *workflowList) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return list(r, "/workflows", filter("environment", c.Environment), []any{"KEY", "ENVIRONMENT", "TRIGGERS", "ACTIVE"}, func(w workflow) []any {
		return []any{w.Key, w.Environment, w.Triggers, w.Active}
	})
}
