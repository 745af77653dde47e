package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// version, commit and date (of the commit) are set by the linker: see the Makefile. They are said there and not left to
// the go command, which finds them only in some checkouts.
var (
	version = "dev"
	commit  string //nolint:gochecknoglobals // the linker can set nothing else
	date    string //nolint:gochecknoglobals // the linker can set nothing else
)

type versionCommand struct {
	JSON bool `name:"json" help:"Write it as JSON." env:"-"`
}

// built says what this binary was made of.
type built struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"` // of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version, and what the binary was made of.
func (c versionCommand) Run(tty terminal) error {
	info, found := debug.ReadBuildInfo()
	if !found {
		info = &debug.BuildInfo{}
	}
	return c.write(tty.out, whatWasBuilt(info))
}

// whatWasBuilt takes from the go command what the linker was not told, as after `go install`.
func whatWasBuilt(info *debug.BuildInfo) built {
	b := built{Version: version, Commit: commit, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if b.Version == "dev" && info.Main.Version != "(devel)" {
		b.Version = cmp.Or(strings.TrimPrefix(info.Main.Version, "v"), b.Version)
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = cmp.Or(b.Commit, setting.Value)
		case "vcs.time":
			b.Date = cmp.Or(b.Date, setting.Value)
		}
	}
	b.Commit, b.Date = cmp.Or(b.Commit, "unknown"), cmp.Or(b.Date, "unknown")
	return b
}

func (c versionCommand) write(out io.Writer, b built) error {
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(b)
	}
	_, err := fmt.Fprintf(out, "millrace %s\ncommit   %s\ndate     %s\ngo       %s\nplatform %s\n", b.Version, b.Commit, b.Date, b.Go, b.Platform)
	return err
}
