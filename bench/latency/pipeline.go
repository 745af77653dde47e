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
	"time"

	"golang.org/x/sync/errgroup"
)

// pipeline is a `millrace dev` in a process of its own.
type pipeline struct {
	process *exec.Cmd
	dataDir string
	api     string
}

// start runs the binary on free ports and waits until it answers.
func start(ctx context.Context, binary, library, workflowAPI string) (*pipeline, error) {
	dataDir, err := os.MkdirTemp("", "millrace-latency-")
	if err != nil {
		return nil, err
	}
	p := &pipeline{dataDir: dataDir, api: freeAddr()}
	p.process = exec.CommandContext(ctx, binary, "dev", "--data-dir="+dataDir, "--library-dir="+library, "--workflow-api-url="+workflowAPI,
		"--ingest-listen="+freeAddr(), "--api-listen="+p.api, "--receiver-listen="+freeAddr(),
		"--embedded-kafka-listen="+freeAddr(), "--embedded-clickhouse-listen="+freeAddr(), "--admin-listen=", "--log-level=warn")
	p.process.Stderr = os.Stderr
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("starting %s (make build): %w", binary, err)
	}
	for {
		if _, err := call[any](ctx, http.MethodGet, "http://"+p.api+"/api/v1/sources/demo", nil); err == nil {
			return p, nil
		}
		select {
		case <-ctx.Done():
			p.stop()
			return nil, errors.New("the pipeline did not become ready")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *pipeline) stop() {
	if err := p.process.Process.Signal(os.Interrupt); err == nil {
		_ = p.process.Wait() // its end is all that matters here
	}
	if err := os.RemoveAll(p.dataDir); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
	}
}

// prepare makes a source with one trigger and returns its endpoint.
func (p *pipeline) prepare(ctx context.Context) (string, error) {
	type source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	made, err := call[source](ctx, http.MethodPost, "http://"+p.api+"/api/v1/sources", map[string]any{"name": "latency"})
	if err != nil {
		return "", err
	}
	_, err = call[any](ctx, http.MethodPost, "http://"+p.api+"/api/v1/triggers", map[string]any{
		"environment": "production", "source_id": made.ID, "event": "Order Completed", "workflow": "measure",
		"condition": "data.total > 0", "mapping": map[string]any{"data": map[string]any{"id": "message_id"}},
	})
	return made.Endpoints["production"].URL, err
}

func call[T any](ctx context.Context, method, url string, in any) (T, error) {
	var out T
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return out, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return out, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return out, fmt.Errorf("%s %s: %s %s", method, url, response.Status, answer)
	}
	return out, json.Unmarshal(answer, &out)
}

// post posts events at a rate, each when it is due, and returns when each was.
func post(ctx context.Context, endpoint, phase string, rate int, length time.Duration) (map[string]time.Time, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	due := map[string]time.Time{}
	var group errgroup.Group
	group.SetLimit(512)
	began := time.Now()
	for i := range int(length.Seconds() * float64(rate)) {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at)) //nolint:forbidigo // the schedule is the point
		id := fmt.Sprintf("%s-%d", phase, i)
		due[id] = at
		group.Go(func() error { return postOne(ctx, client, endpoint, id) })
	}
	return due, group.Wait()
}

func postOne(ctx context.Context, client *http.Client, endpoint, id string) error {
	body := fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"user-%s","messageId":"%s","timestamp":"2026-01-01T00:00:00.000Z",`+
		`"properties":{"order_id":"%s","total":129.5,"currency":"EUR","shipping":{"city":"Lisbon","country":"PT","method":"standard"},`+
		`"products":[{"product_id":"p-1","quantity":2,"price":49.5},{"product_id":"p-2","quantity":1,"price":30.5}]},`+
		`"context":{"library":{"name":"latency","version":"1"}}}`, id, id, id)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("posting: %s", response.Status)
	}
	return nil
}

// take implements the workflow API.
func (a *arrivals) take(w http.ResponseWriter, request *http.Request) {
	at := time.Now()
	var run struct{ Data struct{ ID string } }
	if err := json.NewDecoder(request.Body).Decode(&run); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	if _, came := a.at[run.Data.ID]; !came {
		a.at[run.Data.ID] = at
	}
	a.mu.Unlock()
	fmt.Fprintf(w, `{"workflow_run_id":%q}`, run.Data.ID)
}

// await waits until the run of every event has come.
func (a *arrivals) await(ctx context.Context, due map[string]time.Time) error {
	for {
		a.mu.Lock()
		missing := 0
		for id := range due {
			if _, came := a.at[id]; !came {
				missing++
			}
		}
		a.mu.Unlock()
		if missing == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d runs never arrived", missing, len(due))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// freeAddr returns a loopback address that nobody listens on at the moment.
func freeAddr() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer listener.Close()
	return listener.Addr().String()
}
