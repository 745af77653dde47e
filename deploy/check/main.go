// Command check holds the chart in deploy/helm against Helm's own linter and renderer and against the types of the
// Kubernetes API, and the plain manifests in deploy/kubernetes against the chart: they are what it renders. With -write it
// writes them. It needs neither a cluster nor a network.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", "../..", "root of the repository")
	write := flag.Bool("write", false, "write deploy/kubernetes instead of comparing it")
	flag.Parse()
	if err := run(*root, *write); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(root string, write bool) error {
	dir := filepath.Join(root, "deploy", "helm", "millrace")
	if err := lint(dir); err != nil {
		return err
	}
	chart, err := load(dir)
	if err != nil {
		return err
	}
	var problems []error
	objects := 0
	for _, variant := range variants() {
		rendered, err := chart.render(variant.values)
		if err == nil {
			err = checkAll(rendered)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("with %s: %w", variant.name, err))
		}
		objects += len(rendered)
	}
	problems = append(problems, refused(chart))
	plain, err := manifests(chart)
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	target := filepath.Join(root, "deploy", "kubernetes")
	if write {
		problems = append(problems, writeAll(target, plain))
	} else {
		problems = append(problems, compareAll(target, plain))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	fmt.Printf("the chart is good: %d objects with %d sets of values; deploy/kubernetes is what it renders\n", objects, len(variants()))
	return nil
}
