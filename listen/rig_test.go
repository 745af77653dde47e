package listen_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/rig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a failing test; it is no expectation.
const patience = 30 * time.Second

// world is a server behind a listener with a certificate in dir.
type world struct {
	t         *testing.T
	authority *rig.Authority
	dir       string
	address   string
	logged    *rig.Buffer
}

func newWorld(t *testing.T, change func(*listen.Config)) *world {
	t.Helper()
	w := &world{t: t, authority: rig.NewAuthority(t), dir: t.TempDir(), logged: &rig.Buffer{}}
	w.authority.Issue(w.dir, 100, 90*24*time.Hour)
	config := listen.Config{Address: "127.0.0.1:0", TLS: w.files()}
	if change != nil {
		change(&config)
	}
	listener, err := listen.Open(t.Context(), config, slog.New(slog.NewTextHandler(w.logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w.address = listener.Addr().String()
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }),
		ReadHeaderTimeout: patience,
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return w
}

func (w *world) files() listen.TLS {
	return listen.TLS{Cert: filepath.Join(w.dir, "cert.pem"), Key: filepath.Join(w.dir, "key.pem")}
}

// dial makes a handshake and returns the connection, which the test closes at its end.
func (w *world) dial(change func(*tls.Config)) (*tls.Conn, error) {
	config := w.authority.Trusting()
	if change != nil {
		change(config)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", w.address)
	if err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn.(*tls.Conn), nil
}

// serial makes a handshake and returns the serial number of the certificate that was shown.
func (w *world) serial() int64 {
	w.t.Helper()
	conn, err := w.dial(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// silent connects and says nothing.
func (w *world) silent() net.Conn {
	w.t.Helper()
	conn, err := net.DialTimeout("tcp", w.address, patience)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-ticks.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("waiting until %s; logged: %s", what, w.logged)
		}
	}
}
