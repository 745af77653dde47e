package security

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestARoleWithAWrongPasswordEndsWithTheSettingToLookAt starts a role before its password is right.
func TestARoleWithAWrongPasswordEndsWithTheSettingToLookAt(t *testing.T) {
	w := newWorld(t)
	w.run(w.command("topics", "topics"))
	const wrong = "canary-of-a-wrong-password"
	command := w.command("ingest", "ingest", "--ingest-listen="+rig.FreeAddr(t))
	for _, arg := range command.Args {
		if path, is := strings.CutPrefix(arg, "--kafka-sasl-password=file:"); is {
			rig.WriteFile(t, path, []byte(wrong))
		}
	}
	if err := command.Run(); err == nil {
		t.Error("ingest ended as if all were well")
	}
	if !strings.Contains(w.log.String(), "the password that --kafka-sasl-password refers to") {
		t.Error("the log does not name the setting")
	}
	if strings.Contains(w.log.String(), wrong) {
		t.Error("the password is in the log")
	}
}
