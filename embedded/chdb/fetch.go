package chdb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// npmFiles pin the package's version and integrity, which the npm client enforces.
//
//go:embed npm/package.json npm/package-lock.json
var npmFiles embed.FS

const (
	packagedLibrary = "node_modules/@chdb/lib-linux-x64-gnu/" + libraryName
	downloadSize    = 177_817_999 // bytes of the package's archive
	progressEvery   = 250 * time.Millisecond
	abandonedAfter  = time.Hour // a fetch directory this old belongs to a killed process
)

// fetch downloads the library into libDir. The work happens in a directory of
// its own, renamed when complete: of two processes that fetch at the same time
// the second finds the first's library in place and uses that.
func fetch(ctx context.Context, libDir string, progress func(done, total int64)) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("%w: it is fetched with npm, which is not installed%s", ErrNoLibrary, wayOut)
	}
	if err := os.MkdirAll(libDir, 0o755); err != nil {
		return "", fmt.Errorf("making the library directory: %w", err)
	}
	removeAbandoned(libDir, time.Now())
	work, err := os.MkdirTemp(libDir, ".fetch-")
	if err != nil {
		return "", fmt.Errorf("making a directory to fetch the ClickHouse library: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // what stays costs only space, and removeAbandoned finds it
	if err := download(ctx, npm, work, progress); err != nil {
		return "", err
	}
	if err := install(work, libDir); err != nil {
		return "", err
	}
	return installed(libDir)
}

func download(ctx context.Context, npm, work string, progress func(done, total int64)) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := npmFiles.ReadFile("npm/" + name)
		if err != nil {
			return fmt.Errorf("reading the pinned package: %w", err)
		}
		if err := os.WriteFile(filepath.Join(work, name), content, 0o600); err != nil {
			return fmt.Errorf("preparing to fetch the ClickHouse library: %w", err)
		}
	}
	cache := filepath.Join(work, "cache")
	said := &lastLines{}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", work, "--cache", cache)
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, said, said
	// npm is a script that starts node: end the whole group, not only the script.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	defer reportProgress(cache, progress)()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: npm could not fetch it (%w)%s; npm said: %s", ErrNoLibrary, err, wayOut, said)
	}
	return nil
}

// install checks the fetched library and moves it to its place.
func install(work, libDir string) error {
	ready := filepath.Join(work, LibraryVersion)
	if err := os.Mkdir(ready, 0o755); err != nil {
		return fmt.Errorf("preparing the ClickHouse library: %w", err)
	}
	if err := os.Rename(filepath.Join(work, packagedLibrary), filepath.Join(ready, libraryName)); err != nil {
		return fmt.Errorf("finding the library in its package: %w", err)
	}
	if err := verify(ready); err != nil {
		return err
	}
	err := os.Rename(ready, filepath.Join(libDir, LibraryVersion))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("moving the ClickHouse library to its place: %w", err)
	}
	return nil
}

// reportProgress tells how much npm has downloaded, by the size of its cache,
// until the returned function is called; that waits for the last report.
func reportProgress(cache string, progress func(done, total int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	stopped, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			progress(min(directorySize(cache), downloadSize), downloadSize)
			select {
			case <-stopped:
				return
			case <-ticker.C:
			}
		}
	}()
	return func() {
		close(stopped)
		<-ended
		progress(min(directorySize(cache), downloadSize), downloadSize)
	}
}

// directorySize skips what vanishes while it looks: npm moves its files about.
func directorySize(dir string) int64 {
	var size int64
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, gone error) error {
		if gone == nil && !entry.IsDir() {
			if stat, err := entry.Info(); err == nil {
				size += stat.Size()
			}
		}
		return nil
	})
	return size
}

// removeAbandoned removes what killed fetches left. Failing to costs only space.
func removeAbandoned(libDir string, now time.Time) {
	dirs, _ := filepath.Glob(filepath.Join(libDir, ".fetch-*"))
	for _, dir := range dirs {
		if stat, err := os.Stat(dir); err == nil && now.Sub(stat.ModTime()) > abandonedAfter {
			_ = os.RemoveAll(dir)
		}
	}
}
