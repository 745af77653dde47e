package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthCommand is what a container's health check runs: the image has nothing else that could ask.
type healthCommand struct {
	URL     string        `arg:"" help:"What to ask, such as http://127.0.0.1:8083/readyz."`
	Timeout time.Duration `help:"How long the answer may take." default:"3s" env:"-"`
}

// Help is shown by --help.
func (healthCommand) Help() string {
	return "Exit status: 0 it answered 200; 1 it did not.\n\nExample:\n\n  millrace health http://127.0.0.1:8083/readyz"
}

// maxHealthBytes is how much of an answer is shown: what is missing stands at its beginning.
const maxHealthBytes = 512

// Run asks once.
func (c *healthCommand) Run(ctx bound) error {
	within, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(within, http.MethodGet, c.URL, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking for health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBytes))
	if err != nil {
		return fmt.Errorf("reading the answer about health: %w", err)
	}
	return fmt.Errorf("%s answers %s: %s", c.URL, response.Status, strings.TrimSpace(string(answer)))
}
