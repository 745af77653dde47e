// Command pages measures how fast the console is over a full event log: it fills one, starts `millrace dev` on it, and
// asks for every page several times. Of each it prints how long the page took until it was there, how long with all the
// parts that may come later, and how many bytes went over the wire. With a directory of its own (-dir) what was filled
// stays, and a later run asks at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/millrace/millrace/embedded/chdb"
)

// settings are what the command line says.
type settings struct {
	rows    uint64
	rounds  int
	dir     string
	library string // directory
	binary  string
}

func main() {
	if chdb.IsChild() {
		exit(runChild())
	}
	var s settings
	flag.Uint64Var(&s.rows, "rows", 10_000_000, "how many events")
	flag.IntVar(&s.rounds, "rounds", 20, "how often each page is asked for, after three times that are not counted")
	flag.StringVar(&s.dir, "dir", "", "where the data is kept; default: a new directory for temporary files, removed at the end")
	flag.StringVar(&s.library, "library-dir", filepath.Join(".millrace", "lib"), "where the ClickHouse engine library is")
	flag.StringVar(&s.binary, "binary", filepath.Join("bin", "millrace"), "the millrace to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, s))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/pages:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild() error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(context.Background(), options)
}

func run(ctx context.Context, s settings) (err error) {
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "millrace-pages-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	}
	for _, path := range []*string{&s.dir, &s.library, &s.binary} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	// Sources are made first, so that the events have some that the console knows.
	var sources []string
	err = s.serving(ctx, func(p pipeline) error {
		sources, err = p.sources(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.fill(ctx, sources); err != nil {
		return err
	}
	return s.serving(ctx, func(p pipeline) error { return p.measure(ctx, sources, s.rounds) })
}
