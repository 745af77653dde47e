package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sasl"
)

// bearer is OAUTHBEARER that says why a broker refused the token. A broker tells it where the next step would be, with
// a status in JSON (RFC 7628, 3.2.2), which the mechanism itself takes for a mistake of the protocol.
type bearer struct{ sasl.Mechanism }

// Authenticate implements sasl.Mechanism.
func (b bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := b.Mechanism.Authenticate(ctx, host)
	return bearing{session}, first, err
}

type bearing struct{ sasl.Session }

// Challenge implements sasl.Session.
func (b bearing) Challenge(answer []byte) (done bool, next []byte, err error) {
	if len(answer) > 0 {
		return false, nil, fmt.Errorf("the broker refuses the token that --kafka-sasl-token refers to: %q", answer[:min(len(answer), 200)])
	}
	return b.Session.Challenge(answer)
}
