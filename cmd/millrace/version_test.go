package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionSaysWhatTheBinaryWasMadeOf(t *testing.T) {
	var out bytes.Buffer
	if status := run(t.Context(), []string{"version"}, terminal{out: &out, err: &out}); status != 0 {
		t.Fatalf("exit status %d: %s", status, &out)
	}
	for _, expected := range []string{"millrace dev\n", "commit ", "date ", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("it does not say %q: %s", expected, &out)
		}
	}
	out.Reset()
	if status := run(t.Context(), []string{"version", "--json"}, terminal{out: &out, err: &out}); status != 0 {
		t.Fatalf("exit status %d: %s", status, &out)
	}
	var said map[string]string
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	if said["version"] != "dev" || said["commit"] == "" || said["date"] == "" || said["go"] != runtime.Version() || said["platform"] != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("it says %v", said)
	}
}

func TestWhatTheLinkerWasNotToldComesFromTheGoCommand(t *testing.T) {
	installed := whatWasBuilt(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
	}})
	if installed.Version != "1.2.3" || installed.Commit != "abc" || installed.Date != "2026-01-02T03:04:05Z" {
		t.Errorf("after go install: %+v", installed)
	}
	for name, version := range map[string]string{"in a checkout": "(devel)", "without modules": ""} {
		nothing := whatWasBuilt(&debug.BuildInfo{Main: debug.Module{Version: version}})
		if nothing.Version != "dev" || nothing.Commit != "unknown" || nothing.Date != "unknown" {
			t.Errorf("%s: %+v", name, nothing)
		}
	}
}
