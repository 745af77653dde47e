// Command release builds what a release consists of into dist/: for each platform an archive with the binary and its SBOM,
// and the checksums of all. With -check it verifies what is there and makes it once more, from the same tree: the same
// bytes must come out. docs/adr/0021-releases.md says why it is a program of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	root := flag.String("root", "../..", "root of the repository")
	check := flag.Bool("check", false, "verify dist instead of building it")
	library := flag.String("library-dir", "", "with -check: start millrace dev of this machine's archive with the ClickHouse engine library in here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *root, *check, *library); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:gocritic // stop only hands the signal back
	}
}

func run(ctx context.Context, root string, check bool, library string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	tree, err := readSource(ctx, root)
	if err != nil {
		return err
	}
	dist := filepath.Join(root, "dist")
	if check {
		if err := checkRelease(ctx, tree, dist, library); err != nil {
			return err
		}
		fmt.Printf("millrace %s in %s is what its tree makes\n", tree.version, dist)
		return nil
	}
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("removing the last release: %w", err)
	}
	if err := makeRelease(ctx, tree, dist); err != nil {
		return err
	}
	fmt.Printf("millrace %s is in %s\n", tree.version, dist)
	return nil
}

// makeRelease writes all files of a release into the directory.
func makeRelease(ctx context.Context, tree source, dist string) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return fmt.Errorf("making the directory of the release: %w", err)
	}
	for _, t := range targets() {
		if err := makeTarget(ctx, tree, t, dist); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return writeChecksums(dist)
}

func makeTarget(ctx context.Context, tree source, t target, dist string) error {
	work, err := os.MkdirTemp("", "millrace-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // what stays costs only space
	binary := filepath.Join(work, "millrace")
	if err := compile(ctx, tree, t, binary); err != nil {
		return err
	}
	name := t.name(tree.version)
	if err := writeSBOM(tree, binary, filepath.Join(dist, name+sbomSuffix)); err != nil {
		return err
	}
	return pack(filepath.Join(dist, name+archiveSuffix), name, contents(tree, binary), tree.date)
}
