// Package secretref reads secrets by reference: env:NAME or file:PATH. Settings and the catalog hold references only, which
// may be shown; a secret is read where it is used, and read again for each use, so that one that was replaced holds
// without a restart. No error holds a secret.
package secretref

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Check reports whether a secret reference has a form that Resolve understands.
func Check(ref string) error {
	kind, name, _ := strings.Cut(ref, ":")
	if (kind == "env" || kind == "file") && name != "" {
		return nil
	}
	// The text is not repeated: it may be the secret itself, given by mistake.
	return fmt.Errorf("a secret is given by reference: env:NAME or file:PATH")
}

// Resolve returns the secret that a reference names, without the white space around it. Its errors never hold
// the secret.
func Resolve(ref string) (string, error) {
	if err := Check(ref); err != nil {
		return "", err
	}
	kind, name, _ := strings.Cut(ref, ":")
	if kind == "env" {
		secret, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("secret %s: the environment variable is not set", ref)
		}
		return strings.TrimSpace(secret), nil
	}
	secret, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading secret: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}

// secretLifetime is how long a resolved secret is used before its reference is read again.
const secretLifetime = 30 * time.Second

// Cache resolves references and keeps each secret for half a minute, so that a hot path may ask for it. It holds no
// more of them than the catalog has references. The zero value is ready; it may be used by many goroutines.
type Cache struct {
	mu    sync.Mutex // guards byRef
	byRef map[string]held
}

type held struct {
	value string
	until time.Time
}

// Resolve is the function Resolve, or its answer of a moment ago. A failure is not kept.
func (c *Cache) Resolve(ref string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if kept, found := c.byRef[ref]; found && now.Before(kept.until) {
		return kept.value, nil
	}
	value, err := Resolve(ref)
	if err != nil {
		return "", err
	}
	if c.byRef == nil {
		c.byRef = map[string]held{}
	}
	c.byRef[ref] = held{value, now.Add(secretLifetime)}
	return value, nil
}
