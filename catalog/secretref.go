package catalog

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// CheckSecretRef reports whether a secret reference has a form that ResolveSecret understands.
func CheckSecretRef(ref string) error {
	kind, name, _ := strings.Cut(ref, ":")
	if (kind == "env" || kind == "file") && name != "" {
		return nil
	}
	// The text is not repeated: it may be the secret itself, given by mistake.
	return fmt.Errorf("a secret is given by reference: env:NAME or file:PATH")
}

// ResolveSecret returns the secret that a reference names, without the white space around it. Its errors never hold
// the secret.
func ResolveSecret(ref string) (string, error) {
	if err := CheckSecretRef(ref); err != nil {
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

// Secrets resolves references and keeps each secret for half a minute, so that a hot path may ask for it. It holds no
// more of them than the catalog has references. The zero value is ready; it may be used by many goroutines.
type Secrets struct {
	mu    sync.Mutex // guards byRef
	byRef map[string]heldSecret
}

type heldSecret struct {
	value string
	until time.Time
}

// Resolve is ResolveSecret, or its answer of a moment ago. A failure is not kept.
func (s *Secrets) Resolve(ref string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if held, found := s.byRef[ref]; found && now.Before(held.until) {
		return held.value, nil
	}
	value, err := ResolveSecret(ref)
	if err != nil {
		return "", err
	}
	if s.byRef == nil {
		s.byRef = map[string]heldSecret{}
	}
	s.byRef[ref] = heldSecret{value, now.Add(secretLifetime)}
	return value, nil
}
