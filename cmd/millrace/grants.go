package main

import (
	"fmt"

	"github.com/millrace/millrace/eventlog"
)

type grantsCommand struct {
	ClickHouse eventlog.Config `embed:"" prefix:"clickhouse-"`
}

// Run prints statements for who administers ClickHouse: it connects to nothing.
func (c *grantsCommand) Run(tty terminal) error {
	statements, err := eventlog.Grants(c.ClickHouse)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		fmt.Fprintf(tty.out, "%s;\n", statement)
	}
	return nil
}
