package eventlog_test

import (
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog"
	backend "github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/pki"
)

// encrypted puts TLS in front of the shared engine, which wants a client's certificate, and returns settings that lead to
// a database behind it.
func encrypted(t *testing.T) (eventlog.Config, *pki.Authority) {
	t.Helper()
	authority, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{backend.KeyPair(t, authority, "clickhouse", "127.0.0.1", "clickhouse.example")},
		ClientCAs:    authority.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		t.Fatal(err)
	}
	backend.Forward(t, listener, shared.DialContext)
	config, dir := shared.config(t), t.TempDir()
	config.DialContext = nil
	config.DSN = "https://" + listener.Addr().String() + "/" + config.Database() + "?compress=none"
	config.TLS = eventlog.TLS{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	backend.WriteFile(t, config.TLS.CA, authority.PEM())
	backend.WriteCertificate(t, authority, config.TLS.Cert, config.TLS.Key)
	return config, authority
}

func TestClickHouseIsReachedOverTLS(t *testing.T) {
	config, authority := encrypted(t)
	if err := eventlog.Migrate(t.Context(), config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	config.TLS.ServerName = "clickhouse.example"
	conn, err := eventlog.Connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var tables uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM system.tables WHERE database = currentDatabase()").Scan(&tables); err != nil || tables == 0 {
		t.Errorf("%d tables, %v", tables, err)
	}

	strange, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	backend.WriteCertificate(t, strange, config.TLS.Cert, config.TLS.Key)
	if err := atOnce(t, conn); err == nil {
		t.Error("connections that are made later do not show the certificate that is in the file by then")
	}
	backend.WriteCertificate(t, authority, config.TLS.Cert, config.TLS.Key)
	if err := atOnce(t, conn); err != nil {
		t.Error(err)
	}
}

// atOnce asks more at once than there are connections, so that the pool makes new ones.
func atOnce(t *testing.T, conn driver.Conn) error {
	t.Helper()
	var group errgroup.Group
	for range 2 + conn.Stats().Open {
		group.Go(func() error { return conn.Exec(t.Context(), "SELECT sleep(0.5)") })
	}
	return group.Wait()
}

func TestAStrangeClickHouseIsRefused(t *testing.T) {
	config, _ := encrypted(t)
	named := config
	named.TLS.ServerName = "elsewhere.example"
	if _, err := eventlog.Connect(t.Context(), named); err == nil || !strings.Contains(err.Error(), "--clickhouse-tls-server-name") {
		t.Errorf("a certificate for another name: %v", err)
	}
	strange, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	backend.WriteFile(t, config.TLS.CA, strange.PEM())
	if _, err := eventlog.Connect(t.Context(), config); err == nil || !strings.Contains(err.Error(), "--clickhouse-tls-ca") {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
}

func TestTLSSettingsWithoutEffectAreRefused(t *testing.T) {
	config, _ := encrypted(t)
	for dsn, want := range map[string]string{
		"http://a:8123": "?secure=true", "clickhouse://a:9000": "?secure=true", "https://a:8443?skip_verify=true": "skip_verify",
	} {
		config.DSN = dsn
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	for _, dsn := range []string{"clickhouse://a:9440?secure=true", "https://a:8443"} {
		config.DSN = dsn
		if err := config.Validate(); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
