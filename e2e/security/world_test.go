// Package security tests the roles as an operator runs them on a cluster that is closed: each in a process of its own,
// with a user, a certificate and the permissions of its role, and none more.
package security

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/lifetime"
	"github.com/millrace/millrace/schemas"
)

// mechanism is what the roles come with; the tests of package kafka have the others.
const mechanism = "SCRAM-SHA-512"

var clickhouse engine.Engine

func TestMain(m *testing.M) {
	engine.Main(m, func(started engine.Engine) { clickhouse = started })
}

// world is a closed broker, an open ClickHouse, and a workflow API that counts its calls.
type world struct {
	t          *testing.T
	secured    *rig.Secured
	clickhouse string // DSN
	workflows  *httptest.Server
	calls      atomic.Int64
	log        *rig.Buffer // of all roles
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, secured: rig.SecuredKafka(t), log: &rig.Buffer{}}
	w.clickhouse = "http://" + forward(t) + "/security?compress=none"
	w.workflows = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		w.calls.Add(1)
		fmt.Fprint(answer, `{"workflow_run_id":"wr-1"}`)
	}))
	t.Cleanup(w.workflows.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the roles:\n%s", w.log)
		}
	})
	return w
}

// forward gives the engine a TCP port.
func forward(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rig.Forward(t, listener, clickhouse.DialContext)
	return listener.Addr().String()
}

// user makes a role's user with its permissions, and returns how it reaches the broker.
func (w *world) user(role string) kafka.Config {
	w.t.Helper()
	c := kafka.Config{
		Brokers: w.secured.Brokers, TopicPrefix: w.secured.TopicPrefix, ClientID: role,
		TLS:  kafka.TLS{CA: w.secured.CA, Cert: w.secured.Cert, Key: w.secured.Key},
		SASL: kafka.SASL{Mechanism: mechanism, User: w.secured.TopicPrefix + role, PasswordRef: "file:" + filepath.Join(w.t.TempDir(), "password")},
		Topics: kafka.Settings{
			Partitions: 2, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1,
		},
	}
	rig.WriteFile(w.t, strings.TrimPrefix(c.SASL.PasswordRef, "file:"), []byte(password(role)))
	w.secured.SetPassword(w.t, mechanism, c.SASL.User, password(role))
	permissions, err := c.Permissions(role)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, permission := range permissions {
		w.secured.Permit(w.t, asACL(c.SASL.User, permission))
	}
	return c
}

func password(role string) string { return "canary-password-of-" + role }

func asACL(user string, permission kafka.Permission) *kadm.ACLBuilder {
	acl := kadm.NewACLs().Allow("User:" + user).AllowHosts("*").Operations(permission.Operations...)
	name := map[kmsg.ACLResourceType]func(...string) *kadm.ACLBuilder{
		kmsg.ACLResourceTypeTopic: acl.Topics, kmsg.ACLResourceTypeGroup: acl.Groups, kmsg.ACLResourceTypeTransactionalId: acl.TransactionalIDs,
	}[permission.Resource]
	name(permission.Name)
	if permission.IsPrefix {
		return acl.ResourcePatternType(kmsg.ACLResourcePatternTypePrefixed)
	}
	return acl.ResourcePatternType(kmsg.ACLResourcePatternTypeLiteral)
}

// command is a role's command line, with its user.
func (w *world) command(role string, args ...string) *exec.Cmd {
	c := w.user(role)
	command := exec.Command(rig.Binary(w.t), append(args,
		"--kafka-brokers="+c.Brokers[0], "--kafka-topic-prefix="+c.TopicPrefix, "--kafka-topics-partitions=2",
		"--kafka-tls-ca="+c.TLS.CA, "--kafka-tls-cert="+c.TLS.Cert, "--kafka-tls-key="+c.TLS.Key,
		"--kafka-sasl-mechanism="+mechanism, "--kafka-sasl-user="+c.SASL.User, "--kafka-sasl-password="+c.SASL.PasswordRef,
		"--log-level=debug")...)
	command.Stdout, command.Stderr = w.log, w.log
	lifetime.EndWithParent(command)
	return command
}

// run runs a command to its end.
func (w *world) run(command *exec.Cmd) {
	w.t.Helper()
	if err := command.Run(); err != nil {
		w.t.Fatalf("%v: %v", command.Args, err)
	}
}

// start starts a role for the length of the test.
func (w *world) start(role string, args ...string) {
	w.t.Helper()
	command := w.command(role, args...)
	if err := command.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := command.Process.Kill(); err != nil {
			w.t.Errorf("%s ended before the test did: %v", role, err)
		}
		_ = command.Wait() // killed, as it was to be
	})
}
