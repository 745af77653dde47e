package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// admin returns the settings of a role's admin listener. With -profile it has one, which answers for CPU profiles.
func (w *world) admin(role string) ([]string, error) {
	if w.settings.profile == "" {
		return []string{"--admin-listen="}, nil
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	w.profiled[role] = address
	return []string{"--admin-listen=" + address, "--admin-pprof"}, nil
}

// profile writes where the CPU of each role went between two times to a file of its own, beginning in a goroutine; the
// returned function waits for them.
func (w *world) profile(ctx context.Context, rate float64, from, to time.Time) (wait func() error) {
	group, ctx := errgroup.WithContext(ctx)
	for role, address := range w.profiled {
		group.Go(func() error {
			select {
			case <-time.After(time.Until(from)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			seconds := max(1, math.Floor(to.Sub(from).Seconds()))
			path := filepath.Join(w.settings.profile, fmt.Sprintf("%s-%g.pprof", role, rate))
			if err := download(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%g", address, seconds), path); err != nil {
				return fmt.Errorf("taking the profile of %s: %w", role, err)
			}
			return nil
		})
	}
	return group.Wait
}

func download(ctx context.Context, url, path string) (err error) {
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
		return fmt.Errorf("%s answered %s", url, answer.Status)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, answer.Body); err != nil {
		_ = file.Close() // what failed is the copy
		return err
	}
	return file.Close()
}
