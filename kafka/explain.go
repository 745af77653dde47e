package kafka

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Explain adds to an error of a client which setting, or which permission, to look at, where the broker only says no.
// Other errors, and nil, are returned as they are.
func (c Config) Explain(err error) error {
	if _, isClosed := errors.AsType[*kgo.ErrFirstReadEOF](err); isClosed && !(c.TLS.isOn() && c.SASL.isOn()) {
		return fmt.Errorf("%w; does this listener want TLS (--kafka-tls-enabled, --kafka-tls-ca) or SASL (--kafka-sasl-mechanism)?", err)
	}
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed) && c.SASL.Mechanism == mechanismOAuth:
		return fmt.Errorf("%w; check the token that --kafka-sasl-token refers to", err)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Errorf("%w; check --kafka-sasl-user and the password that --kafka-sasl-password refers to", err)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("%w; the listener does not know --kafka-sasl-mechanism=%s", err, c.SASL.Mechanism)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("%w; `millrace topics acls` prints the permissions that each role needs", err)
	}
	return err
}
