package chdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// The one library this package is proven with: version and integrity stand in
// npm/package-lock.json, the rest describes the file inside that package.
const (
	LibraryVersion = "26.7.3-stable.1"
	librarySHA256  = "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5"
	librarySize    = 566_330_096 // bytes
	systemLibrary  = "/usr/local/lib/libchdb.so"
	libraryName    = "libchdb.so"
	markerName     = "verified" // holds the checksum that was found; hashing takes seconds
)

// ErrNoLibrary says that the library is not here and cannot be fetched.
var ErrNoLibrary = errors.New("the ClickHouse library libchdb is not available")

// errStatic is what a binary says that was built with the tag static; see load_static.go.
var errStatic = fmt.Errorf("%w: this binary is the static one, for servers and containers, and loads no library; "+
	"name a ClickHouse server with --clickhouse-dsn, or take a binary that was built without the tag static", ErrNoLibrary)

// wayOut ends every error a user can act on.
const wayOut = "; either install npm and try again, or set CHDB_LIB_PATH to a libchdb.so (" + minVersion +
	" or newer), or use a ClickHouse server with --clickhouse-dsn"

// LibraryOptions say where the library may be and where to put it.
type LibraryOptions struct {
	// Path is the user's own choice (CHDB_LIB_PATH). If set, nothing else is tried.
	Path string
	// LibDir keeps fetched libraries, one directory per version; several
	// processes and data directories may share it. Empty means DataDir/lib.
	LibDir  string
	DataDir string
	// Progress is called from one goroutine while the library is fetched, a few
	// times a second, with bytes. It may be nil.
	Progress func(done, total int64)
}

// Locate returns the library's absolute path. It looks at Path, then in LibDir,
// then at /usr/local/lib/libchdb.so (only if it is of the proven version's
// size), and then fetches the pinned package with the npm client: 178 MB, which
// become 566 MB in LibDir. errors.Is(err, ErrNoLibrary) where that is impossible.
func Locate(ctx context.Context, o LibraryOptions) (string, error) {
	if !canLoad {
		return "", errStatic
	}
	if o.Path != "" {
		return explicit(o.Path)
	}
	if o.LibDir == "" {
		o.LibDir = filepath.Join(o.DataDir, "lib")
	}
	libDir, err := filepath.Abs(o.LibDir)
	if err != nil {
		return "", fmt.Errorf("the library directory %s: %w", o.LibDir, err)
	}
	path, err := installed(libDir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if hasSize(systemLibrary, librarySize) {
		return systemLibrary, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("%w: none is published for %s/%s, set CHDB_LIB_PATH to one of your own or use a ClickHouse server with --clickhouse-dsn", ErrNoLibrary, runtime.GOOS, runtime.GOARCH)
	}
	return fetch(ctx, libDir, o.Progress)
}

func explicit(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("CHDB_LIB_PATH: %w", err)
	}
	if stat, err := os.Stat(path); err != nil || !stat.Mode().IsRegular() {
		return "", fmt.Errorf("%w: CHDB_LIB_PATH names %s, which is no file", ErrNoLibrary, path)
	}
	return path, nil
}

// installed is the library in libDir, checked once against its checksum.
// fs.ErrNotExist where there is none.
func installed(libDir string) (string, error) {
	dir := filepath.Join(libDir, LibraryVersion)
	path := filepath.Join(dir, libraryName)
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	marker, err := os.ReadFile(filepath.Join(dir, markerName))
	if err == nil && string(marker) == librarySHA256 && hasSize(path, librarySize) {
		return path, nil
	}
	return path, verify(dir)
}

// verify hashes dir's library and leaves the marker beside it.
func verify(dir string) error {
	path := filepath.Join(dir, libraryName)
	sum, err := hashFile(path)
	if err != nil {
		return fmt.Errorf("checking %s: %w", path, err)
	}
	if sum != librarySHA256 {
		return fmt.Errorf("%s is damaged: its SHA-256 is %s and should be %s; remove the directory %s to fetch it again", path, sum, librarySHA256, dir)
	}
	// A directory that cannot be written is checked again at the next start.
	_ = os.WriteFile(filepath.Join(dir, markerName), []byte(sum), 0o644)
	return nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func hasSize(path string, size int64) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.Size() == size
}
