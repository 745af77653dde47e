package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestServingOthersWithoutATokenIsRefusedAtStart runs the binary: it must end before it has started anything.
func TestServingOthersWithoutATokenIsRefusedAtStart(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), rig.Binary(t), args...)
		command.Dir = t.TempDir()
		out, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s\nwant: %s", args, err, out, want)
		}
	}
	f("for example --api-tokens=ops:admin:env:OPS_TOKEN", "dev", "--api-listen=0.0.0.0:0")
	f("for example --api-tokens=ops:admin:env:OPS_TOKEN", "api", "--api-listen=:8081", "--api-ingest-url=http://x", "--kafka-brokers=127.0.0.1:1")
	f("entry 2: its scope is none of read, write, admin", "dev", "--api-tokens=a:read:env:A", "--api-tokens=b:everything:env:B")
	// The second token's variable is not set.
	t.Setenv("MILLRACE_API_TOKENS", "a:read:env:MILLRACE_BINARY,b:admin:env:NOT_SET_ANYWHERE")
	f("token b: secret env:NOT_SET_ANYWHERE", "dev")
}
