package listen_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/rig"
)

func TestClientsAreServedOverTLSWithHTTP1(t *testing.T) {
	w := newWorld(t, nil)
	config := w.authority.Trusting()
	config.NextProtos = []string{"h2", "http/1.1"}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	response, err := (&http.Client{Transport: transport}).Get("https://" + w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "HTTP/1.1" || response.TLS.NegotiatedProtocol != "http/1.1" {
		t.Errorf("%q over %q, %v", body, response.TLS.NegotiatedProtocol, err)
	}
}

func TestTLSBefore12IsRefused(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.dial(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestClientWithoutACertificateOfTheSignersIsRefused(t *testing.T) {
	signers := rig.NewAuthority(t)
	w := newWorld(t, func(c *listen.Config) { c.TLS.ClientCA = signers.File })
	f := func(by *rig.Authority, isServed bool) {
		t.Helper()
		var own []tls.Certificate
		if by != nil {
			dir := t.TempDir()
			by.Issue(dir, 7, time.Hour)
			pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
			if err != nil {
				t.Fatal(err)
			}
			own = append(own, pair)
		}
		config := w.authority.Trusting()
		// Not Certificates: a client leaves out one that the server would not take.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &append(own, tls.Certificate{})[0], nil
		}
		transport := &http.Transport{TLSClientConfig: config}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get("https://" + w.address)
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != isServed {
			t.Errorf("got %v, want served: %v", err, isServed)
		}
	}
	f(signers, true)
	f(nil, false)
	f(rig.NewAuthority(t), false)
}

func TestChangedCertificateIsShownWithoutARestart(t *testing.T) {
	w := newWorld(t, nil)
	kept, err := w.dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.authority.Issue(w.dir, 200, 90*24*time.Hour)
	w.eventually("the new certificate is shown", func() bool { return w.serial() == 200 })
	if _, err := io.WriteString(kept, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Error(err)
	}
	if _, err := kept.Read(make([]byte, 1)); err != nil {
		t.Errorf("a connection of before ended: %v", err)
	}
}

// TestCertificateBehindSwappedLinksIsShown has files as Kubernetes mounts them: links into ..data, which is a link to a
// directory of one state and is swapped as a whole.
func TestCertificateBehindSwappedLinksIsShown(t *testing.T) {
	dir := t.TempDir()
	authority := rig.NewAuthority(t)
	put := func(state string, serial int64) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, state), 0o700); err != nil {
			t.Fatal(err)
		}
		authority.Issue(filepath.Join(dir, state), serial, 90*24*time.Hour)
		err := errors.Join(os.Symlink(state, filepath.Join(dir, "..new")), os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
		if err != nil {
			t.Fatal(err)
		}
	}
	put("..1", 301)
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, func(c *listen.Config) {
		c.TLS = listen.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	})
	w.authority, w.dir = authority, dir
	if got := w.serial(); got != 301 {
		t.Fatalf("shows %d", got)
	}
	put("..2", 302)
	if err := os.RemoveAll(filepath.Join(dir, "..1")); err != nil {
		t.Fatal(err)
	}
	w.eventually("the new certificate is shown", func() bool { return w.serial() == 302 })
}

func TestCertificateThatCannotBeUsedLeavesTheOneBefore(t *testing.T) {
	w := newWorld(t, nil)
	key, err := os.ReadFile(w.files().Key)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, breakIt func()) {
		t.Helper()
		said := strings.Count(w.logged.String(), "cannot be used")
		breakIt()
		w.eventually("it is said that "+what, func() bool {
			if got := w.serial(); got != 100 {
				t.Fatalf("%s: shows %d", what, got)
			}
			return strings.Count(w.logged.String(), "cannot be used") > said
		})
	}
	f("the certificate is none", func() {
		if err := os.WriteFile(w.files().Cert, []byte("nothing"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	f("the key is another one's", func() {
		w.authority.Issue(w.dir, 200, time.Hour)
		if err := os.WriteFile(w.files().Key, key, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	f("the files are gone", func() {
		if err := os.Remove(w.files().Key); err != nil {
			t.Fatal(err)
		}
	})
	if strings.Contains(w.logged.String(), "PRIVATE KEY") {
		t.Error("a key is in the log")
	}
	w.authority.Issue(w.dir, 300, 90*24*time.Hour)
	w.eventually("a good one is shown again", func() bool { return w.serial() == 300 })
}

func TestExpiryIsSaidAtTheStartAndWarnedOfWhenItIsNear(t *testing.T) {
	w := newWorld(t, nil)
	if logged := w.logged.String(); !strings.Contains(logged, "expires=") || strings.Contains(logged, "level=WARN") {
		t.Errorf("with 90 days to go: %s", logged)
	}
	w.authority.Issue(w.dir, 200, 13*24*time.Hour)
	w.eventually("it is warned of", func() bool {
		w.serial()
		return strings.Contains(w.logged.String(), "level=WARN")
	})
}

func TestSilentClientsHoldUpNobodyAndAreLetGo(t *testing.T) {
	w := newWorld(t, nil)
	quiet := make([]net.Conn, 1200) // more than handshakes may be under way
	for i := range quiet {
		quiet[i] = w.silent()
	}
	if got := w.serial(); got != 100 {
		t.Errorf("shows %d", got)
	}
	for _, conn := range quiet {
		requireClosed(t, conn)
	}
}

// requireClosed expects the other side to close a connection.
func requireClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, conn)
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		t.Fatal("it is still open")
	}
}

func TestConnectionBeyondTheLimitIsClosed(t *testing.T) {
	w := newWorld(t, func(c *listen.Config) { c.TLS, c.MaxConnections = listen.TLS{}, 2 })
	first, second := w.silent(), w.silent()
	for _, conn := range []net.Conn{first, second} {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	requireClosed(t, w.silent())
	first.Close()
	w.eventually("there is room again", func() bool {
		conn := w.silent()
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if err != nil {
			return false
		}
		_, err = conn.Read(make([]byte, 1))
		return err == nil
	})
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	dir := t.TempDir()
	rig.NewAuthority(t).Issue(dir, 1, time.Hour)
	good := listen.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	f := func(change func(*listen.TLS), want string) {
		t.Helper()
		files := good
		change(&files)
		err := files.Validate("--ingest-tls")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(*listen.TLS) {}, "")
	f(func(l *listen.TLS) { *l = listen.TLS{} }, "")
	f(func(l *listen.TLS) { l.Key = "" }, "--ingest-tls-key")
	f(func(l *listen.TLS) { l.Cert = "" }, "--ingest-tls-cert")
	f(func(l *listen.TLS) { *l = listen.TLS{ClientCA: good.Cert} }, "--ingest-tls-cert")
	f(func(l *listen.TLS) { l.Key = "/nowhere" }, "/nowhere")
	f(func(l *listen.TLS) { l.ClientCA = l.Key }, "no certificate")
	if _, err := listen.Open(t.Context(), listen.Config{Address: "127.0.0.1:0", TLS: listen.TLS{Cert: "/nowhere", Key: "/nowhere"}}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it listens without a certificate")
	}
}
