package main

import "fmt"

const (
	archiveSuffix = ".tar.gz"
	sbomSuffix    = ".cdx.json" // as CycloneDX recommends
	checksums     = "checksums.txt"
)

// target is a platform that a release is for.
type target struct{ os, arch, tags string }

// targets are the platforms of a release. Where an engine library may be loaded, the binary can: see embedded/chdb/load.go.
// On Linux that costs the need for glibc's dynamic linker, and for arm64 no library is published, so that one goes without.
// On macOS every binary has the dynamic linker.
func targets() []target {
	return []target{
		{"linux", "amd64", ""},
		{"linux", "arm64", "static"},
		{"darwin", "amd64", ""},
		{"darwin", "arm64", ""},
	}
}

func (t target) String() string { return t.os + "/" + t.arch }

func (t target) isStatic() bool { return t.tags == "static" }

// name is what its files are called, without the suffix, and the directory in its archive.
func (t target) name(version string) string {
	return fmt.Sprintf("millrace_%s_%s_%s", version, t.os, t.arch)
}
