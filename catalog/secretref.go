package catalog

import (
	"fmt"
	"os"
	"strings"
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
