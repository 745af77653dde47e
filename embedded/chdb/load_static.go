//go:build static

package chdb

import "fmt"

// A binary that can load a shared library needs a dynamic linker to start at all, which an image made from nothing does not
// have. With the tag static there is none of that, and no embedded ClickHouse.

// canLoad says whether this binary can load a shared library.
const canLoad = false

// loadLibrary fails: see canLoad. Locate has said so before.
func loadLibrary(path string) (*library, error) {
	return nil, fmt.Errorf("loading %s: %w", path, errStatic)
}
