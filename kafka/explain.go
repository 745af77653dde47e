package kafka

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Explain adds to an error of a client which setting, or which permission, to look at, where the broker only says no.
// Other errors, and nil, are returned as they are.
func (c Config) Explain(err error) error {
	if hint := c.hint(err); hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

func (c Config) hint(err error) string {
	_, isClosedFirst := errors.AsType[*kgo.ErrFirstReadEOF](err)
	switch {
	case err == nil:
		return ""
	case !c.TLS.isOn() && strings.Contains(err.Error(), "tls endpoint"): // the client's words, of no type that could be asked for
		return "does this listener want TLS (--kafka-tls-enabled, --kafka-tls-ca)?"
	case isClosedFirst && (!c.TLS.isOn() || !c.SASL.isOn()):
		return "does this listener want TLS (--kafka-tls-enabled, --kafka-tls-ca) or SASL (--kafka-sasl-mechanism)?"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "the listener does not know --kafka-sasl-mechanism=" + c.SASL.Mechanism
	case c.SASL.isOn() && errors.Is(err, kerr.SaslAuthenticationFailed):
		return "check " + c.SASL.proof()
	case c.SASL.isOn() && errors.Is(err, io.EOF): // some brokers say no in this way
		return "the broker closed the connection: check that it is up, and " + c.SASL.proof()
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return "`millrace acls` prints the permissions that each role needs"
	}
	return ""
}
