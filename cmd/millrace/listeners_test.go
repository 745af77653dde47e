package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

// TestRolesListenWithTLS runs roles by their command lines, each with a certificate, and asks them over TLS.
func TestRolesListenWithTLS(t *testing.T) {
	c := newCLI(t)
	authority, dir := rig.NewAuthority(t), t.TempDir()
	authority.Issue(dir, 1, 90*24*time.Hour)
	for role, path := range map[string]string{"ingest": "/readyz", "console": "/healthz"} {
		t.Run(role, func(t *testing.T) {
			address := freeAddress(t)
			args := []string{role, "--" + role + "-listen=" + address, "--" + role + "-tls-cert=" + filepath.Join(dir, "cert.pem"), "--" + role + "-tls-key=" + filepath.Join(dir, "key.pem")}
			if role == "ingest" {
				args = append(args, "--kafka-brokers="+c.kafka.Brokers[0], "--kafka-topic-prefix="+c.kafka.TopicPrefix)
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan int, 1)
			var out bytes.Buffer
			go func() { ended <- run(ctx, args, terminal{strings.NewReader(""), &out, &out, false}) }()
			transport := &http.Transport{TLSClientConfig: authority.Trusting()}
			requireAnswer(t, &http.Client{Transport: transport}, "https://"+address+path)
			transport.CloseIdleConnections()
			stop()
			if status := <-ended; status != 0 {
				t.Errorf("exit status %d: %s", status, out.String())
			}
		})
	}
}

// requireAnswer asks until it is answered 200.
func requireAnswer(t *testing.T, client *http.Client, url string) {
	t.Helper()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-ticks.C {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", url, err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestSettingsOfTLSAreListedWithTheOthers has two things wrong at once.
func TestSettingsOfTLSAreListedWithTheOthers(t *testing.T) {
	f := func(texts []string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		const wrongFlags = 80 // kong's
		if status := run(t.Context(), args, terminal{strings.NewReader(""), &out, &out, false}); status != wrongFlags {
			t.Errorf("exit status %d: %s", status, out.String())
		}
		for _, text := range texts {
			if !strings.Contains(out.String(), text) {
				t.Errorf("no %q in %s", text, out.String())
			}
		}
	}
	f([]string{"--ingest-tls-key", "ingest max in flight"}, "ingest", "--kafka-brokers=127.0.0.1:1", "--ingest-tls-cert=/nowhere", "--ingest-max-in-flight=0")
	f([]string{"--console-tls-cert"}, "console", "--console-tls-key=/nowhere")
	f([]string{"--api-tls", "/nowhere"}, "api", "--kafka-brokers=127.0.0.1:1", "--api-tls-cert=/nowhere", "--api-tls-key=/nowhere")
}
