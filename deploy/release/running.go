package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// startTime is how long `millrace dev` may take until it is ready, on a machine that has much else to do.
const startTime = 3 * time.Minute

// checkRunning asks the binary for its version and, where there is an engine library, runs the whole pipeline with it.
func checkRunning(ctx context.Context, tree source, binary, library string) error {
	out, err := exec.CommandContext(ctx, binary, "version", "--json").Output()
	if err != nil {
		return fmt.Errorf("millrace version: %w", err)
	}
	var said map[string]string
	if err := json.Unmarshal(out, &said); err != nil {
		return fmt.Errorf("millrace version: %w", err)
	}
	for key, expected := range map[string]string{
		"version": tree.version, "commit": orUnknown(tree.commit), "date": orUnknown(tree.dateText()), "platform": runtime.GOOS + "/" + runtime.GOARCH,
	} {
		if said[key] != expected {
			return fmt.Errorf("millrace version says %s %q and should say %q", key, said[key], expected)
		}
	}
	if library == "" {
		return nil
	}
	if err := runPipeline(ctx, binary, library); err != nil {
		return fmt.Errorf("millrace dev: %w", err)
	}
	return nil
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// runPipeline starts millrace dev in an empty directory, waits until it is ready, and ends it as ctrl-C does.
func runPipeline(ctx context.Context, binary, library string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	library, err := filepath.Abs(library)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "millrace-dev-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays costs only space
	ready, flags, err := devFlags(library)
	if err != nil {
		return err
	}
	said := &bytes.Buffer{}
	command := exec.CommandContext(ctx, binary, flags...)
	command.Dir, command.Stdout, command.Stderr = dir, said, said
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	if err := awaitReady(ctx, ready, exited); err != nil {
		cancel()
		return fmt.Errorf("%w\n%s", errors.Join(err, <-exited), said) // said is written until it has exited
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := <-exited; err != nil {
		return fmt.Errorf("ending: %w\n%s", err, said)
	}
	return nil
}

// devFlags put every listener on a port that is free, and return what answers 200 once all roles are ready.
func devFlags(library string) (ready string, flags []string, err error) {
	flags = []string{"dev", "--library-dir=" + library}
	for _, listener := range []string{"ingest", "api", "console", "receiver", "embedded-clickhouse", "embedded-kafka", "admin"} {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", nil, err
		}
		defer free.Close() // all are held until the last is found, so that no two are the same
		address := free.Addr().String()
		flags = append(flags, "--"+listener+"-listen="+address)
		ready = "http://" + address + "/readyz" // of the last one
	}
	return ready, flags, nil
}

// awaitReady asks until the answer is 200. An exit comes first if the process ends before.
func awaitReady(ctx context.Context, url string, exited chan error) error {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		last := ask(ctx, url)
		if last == nil {
			return nil
		}
		select {
		case err := <-exited:
			exited <- err // for whoever waits for the end
			return errors.New("it ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", last)
		case <-ticks.C:
		}
	}
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
