//go:build !static

package chdb

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// canLoad says whether this binary can load a shared library.
const canLoad = true

// loadLibrary opens the shared library and binds every symbol. Each is looked
// up first, because purego panics on a missing one.
func loadLibrary(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("loading the ClickHouse library %s (it needs glibc): %w", path, err)
	}
	lib := &library{}
	for name, field := range lib.symbols() {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("the ClickHouse library %s has no %s; it must be %s or newer", path, name, minVersion)
		}
		purego.RegisterFunc(field, address)
	}
	if got := lib.version(); !versionAtLeast(got, minVersion) {
		return nil, fmt.Errorf("the ClickHouse library %s is version %q; it must be %s or newer", path, got, minVersion)
	}
	return lib, nil
}
