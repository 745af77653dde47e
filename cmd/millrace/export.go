package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/millrace/millrace/catalog/manifest"
	"github.com/millrace/millrace/schemas"
)

// schemaFile is what an export calls the JSON Schema beside its files.
const schemaFile = "manifest.schema.json"

// schemaLine tells editors where the schema of a file is.
const schemaLine = "# yaml-language-server: $schema=" + schemaFile + "\n"

type exportCommand struct {
	Directory string       `name:"output-dir" help:"Write files to this directory: environments.yaml, a file for each source with its triggers, and the JSON Schema that editors use. Default: everything to the standard output." short:"o" env:"-" placeholder:"DIR"`
	Client    clientConfig `embed:""`
}

// Help is shown by --help.
func (exportCommand) Help() string {
	return "What it writes applies to the same catalog. Endpoint keys are not in it, secrets only by reference; it needs a token " +
		"that may write, since others do not see the references.\n\nExample:\n\n  millrace export -o catalog/"
}

// Run writes the files.
func (c *exportCommand) Run(ctx bound, tty terminal) error {
	client, err := c.Client.connect()
	if err != nil {
		return err
	}
	resources, err := client.Export(ctx)
	if err != nil {
		return err
	}
	all, err := manifest.ReadResources(resources)
	if err != nil {
		return fmt.Errorf("reading the export, which another version of Millrace may have made: %w", err)
	}
	if c.Directory == "" {
		text, err := manifest.Encode(all)
		if err != nil {
			return err
		}
		_, err = tty.out.Write(text)
		return err
	}
	return c.writeFiles(all, tty)
}

func (c *exportCommand) writeFiles(all manifest.Manifest, tty terminal) error {
	if err := os.MkdirAll(c.Directory, 0o755); err != nil {
		return fmt.Errorf("making --output-dir: %w", err)
	}
	written := []string{schemaFile}
	if err := c.writeFile(schemaFile, schemas.Manifest()); err != nil {
		return err
	}
	for name, part := range parts(all) {
		text, err := manifest.Encode(part)
		if err != nil {
			return err
		}
		if err := c.writeFile(name, append([]byte(schemaLine), text...)); err != nil {
			return err
		}
		written = append(written, name)
	}
	fmt.Fprintf(tty.out, "%d environments, %d sources, %d triggers in %s.\n", len(all.Environments), len(all.Sources), len(all.Triggers), c.Directory)
	return c.warnOfOthers(written, tty)
}

func (c *exportCommand) writeFile(name string, text []byte) error {
	if err := os.WriteFile(filepath.Join(c.Directory, name), text, 0o644); err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	return nil
}

// warnOfOthers names the files that an apply of the directory would read besides.
func (c *exportCommand) warnOfOthers(written []string, tty terminal) error {
	entries, err := os.ReadDir(c.Directory)
	if err != nil {
		return fmt.Errorf("looking at the export: %w", err)
	}
	for _, entry := range entries {
		if isManifest(entry.Name()) && !slices.Contains(written, entry.Name()) {
			fmt.Fprintf(tty.err, "%s is not of this export; delete it if it is an old one\n", filepath.Join(c.Directory, entry.Name()))
		}
	}
	return nil
}

// parts divides a manifest into files.
func parts(all manifest.Manifest) map[string]manifest.Manifest {
	files := map[string]manifest.Manifest{}
	if len(all.Environments) > 0 {
		files["environments.yaml"] = manifest.Manifest{Environments: all.Environments}
	}
	for _, s := range all.Sources {
		files["source-"+s.Name+".yaml"] = manifest.Manifest{Sources: []manifest.Source{s}}
	}
	for _, t := range all.Triggers {
		name := "source-" + t.Source + ".yaml"
		part := files[name]
		part.Triggers = append(part.Triggers, t)
		files[name] = part
	}
	return files
}

type schemaCommands struct {
	Manifest schemaManifest `cmd:"" help:"Print the JSON Schema of the files that apply takes."`
}

type schemaManifest struct{}

// Help is shown by --help.
func (schemaManifest) Help() string {
	return "Editors with a YAML language server complete a file that begins with\n\n" +
		"  " + schemaLine + "\nExample:\n\n  millrace schema manifest > manifest.schema.json"
}

// Run prints the schema.
func (schemaManifest) Run(tty terminal) error {
	_, err := tty.out.Write(schemas.Manifest())
	return err
}
