// Command millrace is every role of Millrace and the tools around them: one file per subcommand, each of which only
// parses its settings and wires. A setting is a flag, an environment variable MILLRACE_... or an entry of the settings
// file, in this order; see settings.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"
)

// commands is the command tree.
type commands struct {
	Global `embed:""`

	Dev         devCommand          `cmd:"" help:"Run everything in one process, with an embedded Kafka and ClickHouse. Start here."`
	Send        sendCommand         `cmd:"" help:"Post events from a file to an endpoint."`
	Ingest      ingestCommand       `cmd:"" help:"Run the role that takes events over HTTP."`
	Processor   processorCommand    `cmd:"" help:"Run the role that decides which workflows an event triggers."`
	Dispatcher  dispatcherCommand   `cmd:"" help:"Run the role that starts the runs at the workflow API."`
	Eventlog    eventlogCommands    `cmd:"" help:"Run the role that writes everything to ClickHouse, verify what it wrote, or rebuild it."`
	API         apiCommand          `cmd:"" name:"api" help:"Run the management and query API."`
	Console     consoleCommand      `cmd:"" help:"Run the web console, over a management API."`
	Environment environmentCommands `cmd:"" name:"env" help:"List and change environments."`
	Source      sourceCommands      `cmd:"" help:"List and change sources and their endpoints."`
	Trigger     triggerCommands     `cmd:"" help:"List, change, copy and preview triggers."`
	Workflow    workflowCommands    `cmd:"" help:"List workflows."`
	Event       eventCommands       `cmd:"" name:"events" aliases:"event" help:"List events, show what happened to one, or follow them live."`
	Run         runCommands         `cmd:"" name:"runs" aliases:"run" help:"List runs, and show one with its attempts."`
	Rejections  rejectionsCommand   `cmd:"" help:"List the requests that ingest refused."`
	Stats       statsCommand        `cmd:"" help:"Count events over time, by status and name; dedup rate and latency."`
	Replay      replayCommands      `cmd:"" aliases:"replays" help:"Let events of the past go through triggers once more."`
	DeadLetter  deadLetterCommands  `cmd:"" aliases:"dead-letters,dead" help:"List runs that were given up, and send them again."`
	Apply       applyCommand        `cmd:"" help:"Make the catalog what files say."`
	Diff        diffCommand         `cmd:"" help:"Show what apply would do."`
	Validate    validateCommand     `cmd:"" help:"Check files for apply, offline."`
	Export      exportCommand       `cmd:"" help:"Write the catalog as files for apply."`
	Schema      schemaCommands      `cmd:"" help:"Print the JSON Schema of files."`

	Doctor    doctorCommand    `cmd:"" help:"Check Kafka, ClickHouse, the catalog and what it refers to, and say what to do about each finding."`
	Topics    topicsCommands   `cmd:"" help:"Plan and apply how the Kafka topics should be."`
	ACLs      aclsCommand      `cmd:"" name:"acls" help:"Print the Kafka permissions that each role needs, as commands."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the ClickHouse tables up to date."`
	Grants    grantsCommand    `cmd:"" help:"Print the statements that make ClickHouse roles with what each user needs."`
	Library   libraryCommand   `cmd:"" help:"Fetch the ClickHouse engine library for the embedded ClickHouse."`
	Receiver  receiverCommand  `cmd:"" help:"Run a workflow API for trying things out: it shows the runs it gets."`
	Secret    secretCommand    `cmd:"" help:"Make files with random secrets, for settings to refer to."`
	Health    healthCommand    `cmd:"" help:"Ask a role for its health; for container health checks."`
	Version   versionCommand   `cmd:"" help:"Print the version, and what this binary was made of."`
	ChdbChild chdbChildCommand `cmd:"" hidden:"" help:"The embedded ClickHouse's own process."`
}

func main() {
	relaxGC()
	ctx, stop := untilSignal(context.Background())
	status := run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr, isatty.IsTerminal(os.Stdin.Fd())})
	stop()
	os.Exit(status)
}

// The exit statuses, besides kong's own for wrong flags.
const (
	exitFailed    = 1
	exitDifferent = 2
)

// exitStatus is an error that has been told already.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run runs one command line and returns the process's exit status.
func run(ctx context.Context, args []string, tty terminal) (status int) {
	var root commands
	exited := -1 // what kong ends with, after --help
	parser := kong.Must(
		&root,
		kong.Name("millrace"),
		kong.Description("Millrace takes track events over HTTP and turns them into workflow runs."),
		kong.DefaultEnvars("MILLRACE"),
		kong.Vars{"default_settings_file": defaultSettingsFile},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(tty.out, tty.err),
		kong.Exit(func(code int) { exited = max(exited, code) }),
	)
	parsed, err := parse(parser, args)
	if exited >= 0 {
		return exited
	}
	if parser.FatalIfErrorf(err); err != nil {
		return exited
	}
	err = parsed.Run(&root.Global, bound{ctx}, tty)
	var told exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return int(told)
	}
	fmt.Fprintf(tty.err, "millrace: %v\n", err)
	return exitFailed
}

// bound carries the context to a command, which kong would otherwise take for an interface it knows.
type bound struct{ context.Context }
