package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/millrace/millrace/rig/lifetime"
)

// pipeline is a `millrace dev`.
type pipeline struct {
	api, console string // URLs
}

// patience bounds the start of `millrace dev`.
const patience = time.Minute

// serving runs `millrace dev` on the directory while use does.
func (s settings) serving(ctx context.Context, use func(pipeline) error) (err error) {
	free := make([]string, 7)
	for i := range free {
		if free[i], err = freeAddress(); err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, s.binary, "dev", "--log-level=warn", "--data-dir="+s.dir, "--library-dir="+s.library,
		"--ingest-listen="+free[0], "--api-listen="+free[1], "--console-listen="+free[2], "--receiver-listen="+free[3],
		"--embedded-clickhouse-listen="+free[4], "--embedded-kafka-listen="+free[5], "--admin-listen="+free[6])
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	lifetime.EndWithParent(command)
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting millrace: %w", err)
	}
	p := pipeline{"http://" + free[1], "http://" + free[2]}
	if err = p.awaitStart(ctx); err == nil {
		err = use(p)
	}
	stopped := command.Process.Signal(os.Interrupt)
	if ended := errors.Join(stopped, command.Wait()); ended != nil {
		err = errors.Join(err, fmt.Errorf("millrace ended: %w\n%s", ended, said.String()))
	}
	return err
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func (p pipeline) awaitStart(ctx context.Context) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		var found struct{}
		return found, errors.Join(p.get(ctx, "/events?limit=1", &found), p.get(ctx, "/sources/demo", &found))
	}, backoff.WithBackOff(backoff.NewConstantBackOff(100*time.Millisecond)), backoff.WithMaxElapsedTime(patience))
	if err != nil {
		return fmt.Errorf("waiting for millrace: %w", err)
	}
	return nil
}

// get asks the API.
func (p pipeline) get(ctx context.Context, path string, into any) error {
	return p.call(ctx, http.MethodGet, path, nil, into)
}

func (p pipeline) call(ctx context.Context, method, path string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, p.api+"/api/v1"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, strings.TrimSpace(string(text)))
	}
	return json.Unmarshal(text, into)
}

// sources returns the IDs of five sources, which it makes unless they are there.
func (p pipeline) sources(ctx context.Context) ([]string, error) {
	var ids []string
	for _, name := range []string{"shop", "mobile", "billing", "support", "warehouse"} {
		var source struct{ ID string }
		if err := p.get(ctx, "/sources/"+name, &source); err != nil {
			if err := p.call(ctx, http.MethodPost, "/sources", map[string]any{"name": name}, &source); err != nil {
				return nil, err
			}
		}
		ids = append(ids, source.ID)
	}
	return ids, nil
}
