package main

import (
	"strconv"

	"github.com/millrace/millrace/eventlog/query"
)

type rejectionsCommand struct {
	Source      string       `help:"Only of this source, by name or ID." env:"-" placeholder:"SOURCE"`
	Environment string       `help:"Only of this environment." short:"e" aliases:"env" env:"-" placeholder:"NAME"`
	Code        string       `help:"Only with this error code, such as invalid_json." env:"-" placeholder:"CODE"`
	Since       string       `help:"Refused since: a time, or how long ago, such as 1h." env:"-" placeholder:"WHEN"`
	Until       string       `help:"Refused before: a time, or how long ago." env:"-" placeholder:"WHEN"`
	Limit       int          `help:"How many at most, 1 to 500." default:"50" env:"-"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (rejectionsCommand) Help() string {
	return "Of a flood of them only some are logged. -o json also shows what was posted, up to 4 KiB.\n\n" +
		"Example:\n\n  millrace rejections --source=shop --code=invalid_event --since=1h"
}

// Run lists the rejections.
func (c *rejectionsCommand) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	sources, err := r.sourceNames()
	if err != nil {
		return err
	}
	members := filter("source", c.Source, "environment", c.Environment, "code", c.Code, "since", c.Since, "until", c.Until, "limit", strconv.Itoa(c.Limit))
	return page(r, "/rejections", members, []any{"REFUSED", "STATUS", "CODE", "ENVIRONMENT", "SOURCE", "MESSAGE"}, func(refused query.RejectionItem) []any {
		return []any{stamp(refused.RejectedAt), refused.StatusCode, refused.Code, zeroAs(refused.Environment, "-"), zeroAs(sources.name(refused.SourceID), "-"), refused.Message}
	})
}
