package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog/manifest"
)

// filesConfig names the files that say what the catalog shall be.
type filesConfig struct {
	Files []string `name:"file" help:"A file, a directory (all *.yaml, *.yml and *.json in and below it, hidden ones and *.schema.json left out), or - for the standard input. Can be repeated." short:"f" required:"" sep:"none" env:"-" placeholder:"PATH"`
}

// read reads the files and compiles every condition and mapping. The error holds all that is wrong with all of them.
func (c filesConfig) read(tty terminal) (manifest.Manifest, error) {
	var files []manifest.File
	for _, path := range c.Files {
		found, err := readPath(path, tty.in)
		if err != nil {
			return manifest.Manifest{}, fmt.Errorf("reading --file: %w", err)
		}
		files = append(files, found...)
	}
	m, err := manifest.Read(files...)
	var problems manifest.Problems
	errors.As(err, &problems)
	if problems = append(problems, api.CheckTriggers(m)...); len(problems) > 0 {
		return m, fmt.Errorf("the files are not valid:\n%w", problems)
	}
	return m, nil
}

func (c filesConfig) isStandardInput() bool { return slices.Contains(c.Files, "-") }

func readPath(path string, stdin io.Reader) ([]manifest.File, error) {
	if path == "-" {
		text, err := io.ReadAll(stdin)
		return []manifest.File{{Name: "standard input", Text: text}}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		text, err := os.ReadFile(path)
		return []manifest.File{{Name: path, Text: text}}, err
	}
	return readDirectory(path)
}

func readDirectory(root string) ([]manifest.File, error) {
	var files []manifest.File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		isHidden := strings.HasPrefix(entry.Name(), ".") && path != root
		if entry.IsDir() {
			if isHidden {
				return fs.SkipDir
			}
			return nil
		}
		if isHidden || !isManifest(entry.Name()) {
			return nil
		}
		text, err := os.ReadFile(path)
		files = append(files, manifest.File{Name: path, Text: text})
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s holds no *.yaml, *.yml or *.json", root)
	}
	return files, err
}

func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)) && !strings.HasSuffix(name, ".schema.json")
}
