package rig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace/millrace/rig/pki"
)

// Secured is a broker that wants TLS with a client certificate, a user, and that the user is permitted what it does.
type Secured struct {
	Cluster
	CA, Cert, Key string // PEM files: the brokers' authority, and a client's certificate and key
	HasOAuth      bool   // takes OAUTHBEARER, with any token that is not signed

	admin *kadm.Client // may do everything
}

// PlainUser is whom a Secured knows by PLAIN. Users of SCRAM are made with SetPassword.
const (
	PlainUser     = "plain"
	PlainPassword = "plain-password"
)

// SecuredKafka returns the secured listener of the broker of `make kafka-up` where the tests run on that one, else a
// kfake cluster.
func SecuredKafka(t testing.TB) *Secured {
	t.Helper()
	if Backend(os.Getenv("MILLRACE_TEST_ON")) == Apache {
		return securedApache(t)
	}
	return securedFake(t)
}

func securedApache(t testing.TB) *Secured {
	t.Helper()
	open := Kafka(t)
	dir := os.Getenv("KAFKA_DIR")
	if dir == "" {
		dir = filepath.Join(Root(t), ".millrace", "kafka")
	}
	dir = filepath.Join(dir, "tls")
	s := &Secured{
		Cluster: Cluster{Brokers: []string{securedAddress(t, open.Brokers[0])}, TopicPrefix: open.TopicPrefix}, HasOAuth: true,
		CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client-key.pem"),
	}
	s.connect(t, kgo.SeedBrokers(open.Brokers...))
	return s
}

func securedFake(t testing.TB) *Secured {
	t.Helper()
	authority, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	broker := KeyPair(t, authority, "broker", "127.0.0.1", "localhost")
	_, cluster := Fake(t,
		kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", "admin", "admin-password"), kfake.User("PLAIN", PlainUser, PlainPassword),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{broker}, ClientCAs: authority.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}))
	dir := t.TempDir()
	s := &Secured{Cluster: cluster, CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client-key.pem")}
	WriteFile(t, s.CA, authority.PEM())
	WriteCertificate(t, authority, s.Cert, s.Key)
	s.connect(t, kgo.SeedBrokers(cluster.Brokers...),
		kgo.DialTLSConfig(&tls.Config{RootCAs: authority.Pool(), Certificates: []tls.Certificate{KeyPair(t, authority, "admin")}}),
		kgo.SASL(scram.Auth{User: "admin", Pass: "admin-password"}.AsSha256Mechanism()))
	return s
}

// connect makes the client of who may do everything.
func (s *Secured) connect(t testing.TB, options ...kgo.Opt) {
	t.Helper()
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.admin = kadm.NewClient(client)
}

// Mechanisms lists what SASL offers.
func (s *Secured) Mechanisms() []string {
	names := []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
	if s.HasOAuth {
		names = append(names, "OAUTHBEARER")
	}
	return names
}

// SetPassword makes a user of SCRAM for the length of the test, or gives another password to one, and returns when the
// broker takes it: Kafka answers as soon as it is decided on.
func (s *Secured) SetPassword(t testing.TB, mechanism, user, password string) {
	t.Helper()
	auth, kind := scram.Auth{User: user, Pass: password}, kadm.ScramSha256
	login := auth.AsSha256Mechanism()
	if mechanism == "SCRAM-SHA-512" {
		login, kind = auth.AsSha512Mechanism(), kadm.ScramSha512
	}
	answer, err := s.admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kind, Iterations: 4096, Password: password}})
	if err == nil {
		err = answer.Error()
	}
	if err == nil {
		err = s.awaitLogin(t, login)
	}
	if err != nil {
		t.Fatalf("setting the password of %s: %v", user, err)
	}
	t.Cleanup(func() {
		// A second removal finds nothing, which is no failure of the test.
		_, _ = s.admin.AlterUserSCRAMs(context.Background(), []kadm.DeleteSCRAM{{User: user, Mechanism: kind}}, nil)
	})
}

func (s *Secured) awaitLogin(t testing.TB, login sasl.Mechanism) error {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(s.Cert, s.Key)
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(s.CA)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return poll(ctx, func() error {
		client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.SASL(login),
			kgo.DialTLSConfig(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}))
		if err != nil {
			return err
		}
		defer client.Close()
		return client.Ping(ctx)
	})
}

// Permit lets users do what acls say, for the length of the test, and returns when the broker knows.
func (s *Secured) Permit(t testing.TB, acls *kadm.ACLBuilder) {
	t.Helper()
	created, err := s.admin.CreateACLs(t.Context(), acls)
	if err != nil {
		t.Fatalf("permitting: %v", err)
	}
	for _, one := range created {
		if one.Err != nil {
			t.Fatalf("permitting %s to %v %s: %v", one.Principal, one.Operation, one.Name, one.Err)
		}
	}
	s.awaitACLs(t, acls, len(created))
	t.Cleanup(func() { s.Forbid(t, acls) })
}

// Forbid takes back what Permit gave, and returns when the broker knows.
func (s *Secured) Forbid(t testing.TB, acls *kadm.ACLBuilder) {
	t.Helper()
	if _, err := s.admin.DeleteACLs(context.Background(), acls); err != nil {
		t.Fatalf("forbidding: %v", err)
	}
	s.awaitACLs(t, acls, 0)
}

func (s *Secured) awaitACLs(t testing.TB, acls *kadm.ACLBuilder, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := poll(ctx, func() error {
		described, err := s.admin.DescribeACLs(ctx, acls)
		if err != nil {
			return err
		}
		got := 0
		for _, one := range described {
			got += len(one.Described)
		}
		if got != want {
			return fmt.Errorf("%d permissions, want %d", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("waiting for the broker to know the permissions: %v", err)
	}
}

// WriteCertificate lets an authority issue a client's certificate into two files.
func WriteCertificate(t testing.TB, authority *pki.Authority, certPath, keyPath string) {
	t.Helper()
	certificate, key, err := authority.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, certPath, certificate)
	WriteFile(t, keyPath, key)
}

// WriteFile writes a file that only its owner may read.
func WriteFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// KeyPair lets an authority issue a certificate for name, good for hosts.
func KeyPair(t testing.TB, authority *pki.Authority, name string, hosts ...string) tls.Certificate {
	t.Helper()
	certificate, key, err := authority.Issue(name, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// securedAddress is the port that deploy/kafka/kafka listens on for SASL and TLS: two after the open one.
func securedAddress(t testing.TB, open string) string {
	t.Helper()
	host, text, err := net.SplitHostPort(open)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(host, strconv.Itoa(port+2))
}
