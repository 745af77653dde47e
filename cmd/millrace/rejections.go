package main

import "github.com/millrace/millrace/eventlog/query"

type rejectionsCommand struct {
	Scope logScope `embed:""`
	Code  string   `help:"Only with this error code, such as invalid_json." env:"-" placeholder:"CODE"`
	Page  listing  `embed:""`
}

// Help is shown by --help.
func (rejectionsCommand) Help() string {
	return "Of a flood of them only some are logged. -o json also shows what was posted, up to 4 KiB.\n\n" +
		"Example:\n\n  millrace rejections --source=shop --code=invalid_event --since=1h"
}

// Run lists the rejections.
func (c *rejectionsCommand) Run(ctx bound, tty terminal) error {
	r, sources, err := c.Page.Client.withSources(ctx, c.Page.Output, tty)
	if err != nil {
		return err
	}
	members := c.Scope.members("code", c.Code, "limit", c.Page.limit())
	return page(r, "/rejections", members, []any{"REFUSED", "STATUS", "CODE", "ENVIRONMENT", "SOURCE", "MESSAGE"}, func(refused query.RejectionItem) []any {
		return []any{stamp(refused.RejectedAt), refused.StatusCode, refused.Code, zeroAs(refused.Environment, "-"), zeroAs(sources.name(refused.SourceID), "-"), refused.Message}
	})
}
