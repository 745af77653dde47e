package chdb_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/embedded/chdb"
)

func TestACHDBLibPathThatNamesNoFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing.so")
	_, err := chdb.Locate(t.Context(), chdb.LibraryOptions{Path: path, LibDir: t.TempDir()})
	if !errors.Is(err, chdb.ErrNoLibrary) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutNpmTheErrorNamesEveryWayOut(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := chdb.Locate(t.Context(), chdb.LibraryOptions{DataDir: t.TempDir()})
	if !errors.Is(err, chdb.ErrNoLibrary) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"npm", "CHDB_LIB_PATH", "--clickhouse-dsn"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// fakeNpm puts a shell script in npm's place.
func fakeNpm(t testing.TB, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\nset -e\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestWhatNpmSaysIsInTheError(t *testing.T) {
	fakeNpm(t, "echo 'npm error code EINTEGRITY' >&2; exit 1")
	libDir := t.TempDir()
	_, err := chdb.Locate(t.Context(), chdb.LibraryOptions{LibDir: libDir})
	if !errors.Is(err, chdb.ErrNoLibrary) || !strings.Contains(err.Error(), "EINTEGRITY") {
		t.Errorf("got %v", err)
	}
	wantEntries(t, libDir)
}

func TestAFetchThatIsCancelledLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fakeNpm(t, "mkdir cache; echo downloading > cache/part; sleep 60")
	libDir := t.TempDir()
	_, err := chdb.Locate(ctx, chdb.LibraryOptions{LibDir: libDir, Progress: func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	}})
	if err == nil {
		t.Error("no error")
	}
	wantEntries(t, libDir)
}

func TestALibraryWithAnotherChecksumIsRefused(t *testing.T) {
	fakeNpm(t, "mkdir -p node_modules/@chdb/lib-linux-x64-gnu; echo other > node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
	libDir := t.TempDir()
	_, err := chdb.Locate(t.Context(), chdb.LibraryOptions{LibDir: libDir})
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	wantEntries(t, libDir)
}

func TestTwoProcessesFetchingAtOnceEndWithOneLibrary(t *testing.T) {
	t.Setenv("LIBCHDB", library(t))
	fakeNpm(t, `mkdir -p node_modules/@chdb/lib-linux-x64-gnu
ln "$LIBCHDB" node_modules/@chdb/lib-linux-x64-gnu/libchdb.so || cp "$LIBCHDB" node_modules/@chdb/lib-linux-x64-gnu/libchdb.so`)
	libDir := t.TempDir()
	want := filepath.Join(libDir, chdb.LibraryVersion, "libchdb.so")
	var reports atomic.Int64
	var fetches errgroup.Group
	for range 2 {
		fetches.Go(func() error {
			path, err := chdb.Locate(t.Context(), chdb.LibraryOptions{LibDir: libDir, Progress: func(int64, int64) { reports.Add(1) }})
			if err == nil && path != want {
				return errors.New("located " + path)
			}
			return err
		})
	}
	if err := fetches.Wait(); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, libDir, chdb.LibraryVersion)
	if reports.Load() == 0 {
		t.Error("no progress was reported")
	}
}

func wantEntries(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %v, want %v", dir, got, want)
	}
}
