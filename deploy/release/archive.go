package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"
)

// file is one of an archive.
type file struct {
	name string
	from string
	mode int64
}

// contents are the files of an archive.
func contents(tree source, binary string) []file {
	return []file{
		{"millrace", binary, 0o755},
		{"LICENSE", filepath.Join(tree.root, "LICENSE"), 0o644},
		{"README.md", filepath.Join(tree.root, "README.md"), 0o644},
		{"CHANGELOG.md", filepath.Join(tree.root, "CHANGELOG.md"), 0o644},
		{"examples/catalog.yaml", filepath.Join(tree.root, "deploy", "examples", "catalog.yaml"), 0o644},
		{"examples/millrace.yaml", filepath.Join(tree.root, "deploy", "compose", "millrace.yaml"), 0o644},
	}
}

// pack writes an archive whose bytes depend on nothing but the files: they have one owner and one time.
func pack(target, dir string, files []file, modified time.Time) error {
	out, err := os.Create(target)
	if err != nil {
		return fmt.Errorf("making the archive: %w", err)
	}
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		if err := add(archive, dir, f, modified); err != nil {
			return errors.Join(fmt.Errorf("packing %s: %w", f.name, err), out.Close())
		}
	}
	return errors.Join(archive.Close(), compressed.Close(), out.Close())
}

func add(archive *tar.Writer, dir string, f file, modified time.Time) error {
	content, err := os.ReadFile(f.from)
	if err != nil {
		return err
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: path.Join(dir, f.name), Mode: f.mode, Size: int64(len(content)),
		ModTime: modified, Format: tar.FormatUSTAR,
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = archive.Write(content)
	return err
}
