package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// unpack writes an archive's files below the directory, and refuses what pack does not write.
func unpack(archive, dir string, modified time.Time) error {
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer in.Close()
	plain, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	files := tar.NewReader(plain)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		if err := unpackFile(files, header, dir, modified); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func unpackFile(files io.Reader, header *tar.Header, dir string, modified time.Time) error {
	if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
		return errors.New("not a file below the archive's directory")
	}
	if !header.ModTime.Equal(modified) || header.Uid != 0 || header.Gid != 0 || header.Uname != "" || header.Gname != "" {
		return fmt.Errorf("its time is %s and should be the commit's, %s; its owner is %d:%d", header.ModTime.UTC(), modified, header.Uid, header.Gid)
	}
	path := filepath.Join(dir, filepath.FromSlash(header.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(header.Mode).Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, files)
	return errors.Join(err, out.Chmod(os.FileMode(header.Mode).Perm()), out.Close()) // whatever the umask is
}
