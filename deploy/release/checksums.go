package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeChecksums writes the SHA-256 of every file in the directory as sha256sum does, whose -c reads it.
func writeChecksums(dist string) error {
	text, err := sumAll(dist)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, checksums), []byte(text), 0o644)
}

func sumAll(dist string) (string, error) {
	entries, err := os.ReadDir(dist) // by name
	if err != nil {
		return "", fmt.Errorf("reading the release: %w", err)
	}
	text := &strings.Builder{}
	for _, entry := range entries {
		if entry.Name() == checksums {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dist, entry.Name()))
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(content)
		fmt.Fprintf(text, "%s  %s\n", hex.EncodeToString(sum[:]), entry.Name())
	}
	return text.String(), nil
}
