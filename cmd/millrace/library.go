package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/millrace/millrace/embedded/chdb"
)

// chdbChild is the name of the hidden subcommand that is the embedded ClickHouse's own process.
const chdbChild = "chdb-child"

// libraryConfig says where the ClickHouse engine library is.
type libraryConfig struct {
	LibraryPath string `help:"The ClickHouse engine library, libchdb.so; without it the pinned one is fetched once through npm." env:"MILLRACE_LIBRARY_PATH,CHDB_LIB_PATH" placeholder:"FILE"`
	LibraryDir  string `help:"Where the fetched library is kept; default: lib in the data directory." placeholder:"DIR"`
}

// locate finds the library, or fetches it and shows the progress.
func (c libraryConfig) locate(ctx context.Context, dataDir string) (string, error) {
	var once sync.Once
	var bar *progressbar.ProgressBar
	path, err := chdb.Locate(ctx, chdb.LibraryOptions{
		Path: c.LibraryPath, LibDir: c.LibraryDir, DataDir: dataDir,
		Progress: func(done, total int64) {
			once.Do(func() { bar = progressbar.DefaultBytes(total, "fetching the ClickHouse engine, once") })
			_ = bar.Set64(min(done, total)) // a bar that cannot be drawn is no reason to stop
		},
	})
	if bar != nil {
		_ = bar.Finish()
		fmt.Fprintln(os.Stderr)
	}
	return path, err
}

type libraryCommand struct {
	libraryConfig `embed:""`

	DataDir string `help:"Data directory of the pipeline." default:".millrace" placeholder:"DIR"`
}

// Run fetches the library unless it is there, and prints where it is.
func (c *libraryCommand) Run(ctx bound) error {
	path, err := c.locate(ctx, c.DataDir)
	if err != nil {
		return err
	}
	fmt.Println(path)
	return nil
}

type chdbChildCommand struct{}

// Run is called by the embedded ClickHouse's supervisor only.
func (chdbChildCommand) Run(ctx bound) error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(ctx, options)
}
