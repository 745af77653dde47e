package rig

import (
	"cmp"
	"crypto/rand"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Backend says which Kafka the tests run on. Tests do not ask; rig decides.
type Backend string

// The backends. MILLRACE_TEST_ON chooses one for a whole run of `go test`.
const (
	Embedded   Backend = "embedded"   // a kfake cluster for each test, the same broker as in `millrace dev`
	Apache     Backend = "apache"     // the broker of `make kafka-up`
	Address    Backend = "address"    // the broker at MILLRACE_TEST_KAFKA
	Containers Backend = "containers" // a broker in a container that `make test-containers` starts
)

// Cluster is a broker as one test sees it. Topics and groups whose names begin with TopicPrefix belong to the test.
type Cluster struct {
	Brokers     []string
	TopicPrefix string
}

// Kafka returns a broker for the length of the test: one of its own where it is embedded, made with opts, else a shared
// one, where the test's topics and groups are deleted at its end. Close what you opened in later cleanups.
func Kafka(t testing.TB, opts ...kfake.Opt) Cluster {
	t.Helper()
	if broker, shared := sharedBroker(t); shared {
		cluster := Cluster{Brokers: []string{broker}, TopicPrefix: uniquePrefix()}
		t.Cleanup(func() { cluster.deleteAll(t) })
		return cluster
	}
	_, cluster := Fake(t, opts...)
	return cluster
}

// Fake returns a kfake cluster whatever the backend, for tests that make the broker misbehave.
func Fake(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, Cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatalf("starting a kfake cluster: %v", err)
	}
	t.Cleanup(fake.Close)
	return fake, Cluster{Brokers: fake.ListenAddrs(), TopicPrefix: uniquePrefix()}
}

// sharedBroker returns the address of the broker that all tests share; with the embedded backend there is none.
func sharedBroker(t testing.TB) (address string, shared bool) {
	t.Helper()
	address = os.Getenv("MILLRACE_TEST_KAFKA")
	switch backend := Backend(cmp.Or(os.Getenv("MILLRACE_TEST_ON"), string(Embedded))); backend {
	case Embedded:
		return "", false
	case Apache:
		return cmp.Or(address, net.JoinHostPort(cmp.Or(os.Getenv("KAFKA_HOST"), "127.0.0.1"), cmp.Or(os.Getenv("KAFKA_PORT"), "19092"))), true
	case Address, Containers:
		if address != "" {
			return address, true
		}
		t.Fatalf("MILLRACE_TEST_ON=%s needs MILLRACE_TEST_KAFKA=HOST:PORT; `make test-containers` sets both", backend)
	default:
		t.Fatalf("MILLRACE_TEST_ON=%q: it must be embedded, apache, address or containers", backend)
	}
	return "", false
}

func uniquePrefix() string { return "test-" + strings.ToLower(rand.Text()[:10]) + "." }
