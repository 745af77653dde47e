package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// sampleEvent is a small track event to begin with.
func sampleEvent(name, user string) (string, error) {
	event := struct {
		Type       string         `json:"type"`
		Event      string         `json:"event"`
		UserID     string         `json:"userId"`
		Properties map[string]any `json:"properties"`
	}{"track", name, user, map[string]any{}}
	encoded, err := json.Marshal(event)
	if err != nil {
		return "", fmt.Errorf("writing the event: %w", err)
	}
	return string(encoded), nil
}

// shellQuote makes a text one word of a shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
