package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/millrace/millrace/secretref"
)

// secretCommand makes what settings refer to with file:PATH. It is for machines where nobody has done so beforehand.
type secretCommand struct {
	Files []string `arg:"" help:"Files to make." name:"file"`
	Print bool     `help:"Print what is in the files instead, a line each." env:"-"`
}

// secretBytes are as many as the key of --catalog-key needs.
const secretBytes = 32

// Help is shown by --help.
func (secretCommand) Help() string {
	return "Each is 32 random bytes in base64, good as a token, a password or a key. A file that exists stays as it is. The " +
		"files are readable for everybody who can reach them: keep them in a directory or a volume that others cannot.\n\n" +
		"Example:\n\n  millrace secret /run/millrace/api-token && millrace api --api-tokens=ops:admin:file:/run/millrace/api-token ..."
}

// Run makes the files, or prints them.
func (c *secretCommand) Run(tty terminal) error {
	for _, path := range c.Files {
		if !c.Print {
			if err := makeSecret(path); err != nil {
				return fmt.Errorf("making the secret %s: %w", path, err)
			}
			continue
		}
		secret, err := secretref.Resolve("file:" + path)
		if err != nil {
			return err
		}
		fmt.Fprintln(tty.out, secret)
	}
	return nil
}

// makeSecret writes a secret unless there is one. Who reads the file sees a whole secret or none.
func makeSecret(path string) error {
	secret := make([]byte, secretBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // what it was called at first
	_, err = fmt.Fprintln(file, base64.StdEncoding.EncodeToString(secret))
	// Each process that shares the volume has a user of its own.
	if err := errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
