package kafka_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/pki"
)

// login is a user of a secured broker whose secret is in a file.
type login struct {
	kafka.Config
	t       *testing.T
	secured *rig.Secured
	path    string // of the password or token
}

func newLogin(t *testing.T, secured *rig.Secured, mechanism string) *login {
	t.Helper()
	l := &login{Config: config(secured.Cluster), t: t, secured: secured, path: filepath.Join(t.TempDir(), "secret")}
	l.TLS = kafka.TLS{CA: secured.CA, Cert: secured.Cert, Key: secured.Key}
	l.SASL = kafka.SASL{Mechanism: mechanism}
	if mechanism == "OAUTHBEARER" {
		l.SASL.TokenRef = "file:" + l.path
		return l
	}
	l.SASL.User, l.SASL.PasswordRef = rig.PlainUser, "file:"+l.path
	if mechanism != "PLAIN" {
		l.SASL.User = secured.TopicPrefix + "user"
	}
	return l
}

// hold puts a secret into the file.
func (l *login) hold(secret string) {
	l.t.Helper()
	rig.WriteFile(l.t, l.path, []byte(secret+"\n"))
}

// holdGood puts a secret into the file that the broker takes, and returns it.
func (l *login) holdGood() string {
	l.t.Helper()
	secret := "a-good-secret"
	switch l.SASL.Mechanism {
	case "PLAIN":
		secret = rig.PlainPassword
	case "OAUTHBEARER":
		secret = token("a-user", time.Now().Add(time.Hour))
	default:
		l.secured.SetPassword(l.t, l.SASL.Mechanism, l.SASL.User, secret)
	}
	l.hold(secret)
	return secret
}

// token is one that is not signed, which Kafka takes where nothing else is set up.
func token(subject string, until time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, time.Now().Add(-time.Minute).Unix(), until.Unix())
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + "."
}

// connect pings with a client of its own, whose options may be older than what the files hold.
func connect(t *testing.T, options []kgo.Opt) error {
	t.Helper()
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.Ping(t.Context())
}

func TestEachMechanismIsTakenWithItsSecretAndNoOther(t *testing.T) {
	secured := rig.SecuredKafka(t)
	for _, mechanism := range secured.Mechanisms() {
		t.Run(mechanism, func(t *testing.T) {
			l := newLogin(t, secured, mechanism)
			good := l.holdGood()
			if err := l.Validate(); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			options := append(l.Options(), kgo.WithLogger(kgo.BasicLogger(&log, kgo.LogLevelDebug, nil)))
			if err := connect(t, options); err != nil {
				t.Error(err)
			}
			setting, bad := "--kafka-sasl-password", "canary-of-a-secret"
			if mechanism == "OAUTHBEARER" {
				setting, bad = "--kafka-sasl-token", token("canary", time.Now().Add(-time.Hour))
			}
			l.hold(bad)
			err := connect(t, options)
			if err == nil || !strings.Contains(l.Explain(err).Error(), setting) {
				t.Errorf("the error does not name %s: %v", setting, l.Explain(err))
			}
			if err := l.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), setting) {
				t.Errorf("the error does not name %s: %v", setting, err)
			}
			for _, secret := range []string{good, bad} {
				if strings.Contains(log.String(), secret) || strings.Contains(fmt.Sprint(err), secret) {
					t.Errorf("a secret is in the log or in the error %v:\n%s", err, &log)
				}
			}
			if !strings.Contains(log.String(), mechanism) {
				t.Errorf("the log has nothing of the authentication:\n%s", &log)
			}
		})
	}
}

func TestAPasswordThatIsReplacedHoldsForTheNextConnection(t *testing.T) {
	l := newLogin(t, rig.SecuredKafka(t), "SCRAM-SHA-512")
	l.holdGood()
	options := l.Options()
	if err := connect(t, options); err != nil {
		t.Fatal(err)
	}
	l.secured.SetPassword(t, "SCRAM-SHA-512", l.SASL.User, "another-secret")
	if err := connect(t, options); err == nil {
		t.Error("the broker takes the former password")
	}
	l.hold("another-secret")
	if err := connect(t, options); err != nil {
		t.Error(err)
	}
}

func TestABrokerIsTrustedByItsAuthorityAndItsName(t *testing.T) {
	l := newLogin(t, rig.SecuredKafka(t), "SCRAM-SHA-256")
	l.holdGood()
	l.TLS.ServerName = "localhost"
	if err := l.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	l.TLS.ServerName = "elsewhere.example"
	if err := l.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "--kafka-tls-server-name") {
		t.Errorf("a certificate for another name: %v", err)
	}
	strange, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	l.TLS.ServerName, l.TLS.CA = "", filepath.Join(t.TempDir(), "strange.pem")
	rig.WriteFile(t, l.TLS.CA, strange.PEM())
	if err := l.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "--kafka-tls-ca") {
		t.Errorf("a certificate of an unknown authority: %v", err)
	}
	l.TLS, l.SASL = kafka.TLS{}, kafka.SASL{}
	if err := l.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "--kafka-tls-enabled") {
		t.Errorf("without TLS: %v", err)
	}
}

func TestAClientCertificateThatIsRenewedHoldsForTheNextConnection(t *testing.T) {
	l := newLogin(t, rig.SecuredKafka(t), "SCRAM-SHA-256")
	l.holdGood()
	strange, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	l.TLS.Cert, l.TLS.Key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	rig.WriteCertificate(t, strange, l.TLS.Cert, l.TLS.Key)
	options := l.Options()
	if err := connect(t, options); err == nil {
		t.Error("the broker takes a certificate of an authority that it does not know")
	}
	copyFile(t, l.secured.Cert, l.TLS.Cert)
	copyFile(t, l.secured.Key, l.TLS.Key)
	if err := connect(t, options); err != nil {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	rig.WriteFile(t, to, content)
}

// TestNoPasswordLeavesThisMachineInTheOpen has a broker that names another as the one to ask.
func TestNoPasswordLeavesThisMachineInTheOpen(t *testing.T) {
	fake, cluster := rig.Fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "canary"))
	fake.ControlKey(int16(kmsg.Metadata), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		response := request.ResponseKind().(*kmsg.MetadataResponse)
		response.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 7, Host: "broker.example", Port: 9092}}
		return response, nil, true
	})
	t.Setenv("TEST_PASSWORD", "canary")
	c := config(cluster)
	c.SASL = kafka.SASL{Mechanism: "PLAIN", User: "user", PasswordRef: "env:TEST_PASSWORD"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(c.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ping(t.Context()); err != nil { // knows the other broker from here on
		t.Fatal(err)
	}
	_, err = kmsg.NewPtrListGroupsRequest().RequestWith(t.Context(), client.Broker(7))
	if err == nil || !strings.Contains(err.Error(), "broker.example:9092 is beyond this machine") {
		t.Errorf("got %v", err)
	}
}
