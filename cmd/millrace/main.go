// Command millrace is every role of Millrace and the tools around them: one file per subcommand, each of which only
// parses its settings and wires. A setting is a flag, an environment variable MILLRACE_... or an entry of the settings
// file, in this order; see settings.go.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// commands is the command tree.
type commands struct {
	Global `embed:""`

	Dev        devCommand        `cmd:"" help:"Run everything in one process, with an embedded Kafka and ClickHouse. Start here."`
	Send       sendCommand       `cmd:"" help:"Post events from a file to an endpoint."`
	Ingest     ingestCommand     `cmd:"" help:"Run the role that takes events over HTTP."`
	Processor  processorCommand  `cmd:"" help:"Run the role that decides which workflows an event triggers."`
	Dispatcher dispatcherCommand `cmd:"" help:"Run the role that starts the runs at the workflow API."`
	Eventlog   eventlogCommand   `cmd:"" help:"Run the role that writes everything to ClickHouse."`
	API        apiCommand        `cmd:"" name:"api" help:"Run the management and query API."`
	Topics     topicsCommand     `cmd:"" help:"Create the Kafka topics that are missing."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the ClickHouse tables up to date."`
	Library    libraryCommand    `cmd:"" help:"Fetch the ClickHouse engine library for the embedded ClickHouse."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	ChdbChild  chdbChildCommand  `cmd:"" hidden:"" help:"The embedded ClickHouse's own process."`
}

func main() {
	var root commands
	parser := kong.Must(
		&root,
		kong.Name("millrace"),
		kong.Description("Millrace takes track events over HTTP and turns them into workflow runs."),
		kong.DefaultEnvars("MILLRACE"),
		kong.Vars{"default_settings_file": defaultSettingsFile},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	parsed, err := parse(parser, os.Args[1:])
	parser.FatalIfErrorf(err)
	relaxGC()
	ctx, stop := untilSignal(context.Background())
	err = parsed.Run(&root.Global, bound{ctx})
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "millrace: %v\n", err)
		os.Exit(1)
	}
}

// bound carries the context to a command, which kong would otherwise take for an interface it knows.
type bound struct{ context.Context }

// version is set by the linker: see the Makefile.
var version = "dev"
