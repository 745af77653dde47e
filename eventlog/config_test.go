package eventlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
)

func TestEveryWrongSettingIsReported(t *testing.T) {
	good := eventlog.Config{
		Addr: []string{"127.0.0.1:9000"}, Protocol: "native", Database: "millrace", User: "default", PasswordRef: "env:SECRET",
		Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Millisecond},
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := eventlog.Config{Addr: []string{"nowhere"}, Protocol: "smoke", Database: "a; DROP", PasswordRef: "hunter2", Flush: eventlog.Flush{Interval: time.Hour}}
	err := bad.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, setting := range []string{"nowhere", "smoke", "a; DROP", "password", "rows", "bytes", "inserts", "interval"} {
		if !strings.Contains(err.Error(), setting) {
			t.Errorf("%s is not reported in: %v", setting, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("what may be the password itself is in the error")
	}
}
