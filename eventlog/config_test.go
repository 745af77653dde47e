package eventlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog"
)

func TestEveryWrongSettingIsReported(t *testing.T) {
	good := eventlog.Config{
		DSN: "clickhouse://127.0.0.1:9000", PasswordRef: "env:SECRET",
		Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Millisecond},
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := eventlog.Config{DSN: "nowhere", Cluster: "a b", PasswordRef: "hunter2", Flush: eventlog.Flush{Interval: time.Hour}}
	err := bad.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, setting := range []string{"dsn", "password", "cluster", "rows", "bytes", "inserts", "interval"} {
		if !strings.Contains(err.Error(), setting) {
			t.Errorf("%s is not reported in: %v", setting, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("what may be the password itself is in the error")
	}
}

func TestADSNNamesTheDatabase(t *testing.T) {
	f := func(dsn, want string) {
		t.Helper()
		config := eventlog.Config{DSN: dsn, Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Millisecond}}
		if err := config.Validate(); err != nil || config.Database() != want {
			t.Errorf("%s: database %q, error %v", dsn, config.Database(), err)
		}
	}
	f("clickhouse://a:9000", "millrace")
	f("clickhouse://reader@a:9440,b:9440/log?secure=true&max_threads=2", "log")
	f("http://a:8123/log", "log")
	f("https://a:8443/log", "log")
	f("https://a:8443/log?secure=true", "log")
	f("https://a:8443?max_threads=2", "millrace")
}

func TestADSNThatCannotWorkSaysWhy(t *testing.T) {
	f := func(dsn, want string) {
		t.Helper()
		err := eventlog.Config{DSN: dsn, Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Millisecond}}.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	f("a:9000", "clickhouse://")
	f("postgres://a:5432/log", "clickhouse://")
	f("clickhouse://default:hunter2@a:9000/log", "--clickhouse-password")
	f("http://a:8123/log?password=hunter2", "--clickhouse-password")
	f("clickhouse://u:hunter2%zz@a:9000/log", "invalid")
	f("clickhouse://a/log", "has no port")
	f("http://a:8123/log?secure=true", "TLS")
	f("clickhouse://a:9000/a;%20DROP", "letters, digits")
}
