package kafka

import (
	"context"
	"fmt"
	"net"
	"time"
)

// dialTimeout is how soon a broker that is gone is noticed, so that ingest can answer 503 in time.
const dialTimeout = 5 * time.Second

// dial connects to a broker.
func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.TLS.isOn() {
		return c.TLS.dial(ctx, network, address)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil || !c.needsTLS() || isLoopback(conn.RemoteAddr().String()) {
		return conn, err
	}
	// A broker of this machine may send on to one elsewhere: what it says of others is no setting, so it is looked at here.
	_ = conn.Close()
	return nil, fmt.Errorf("broker %s is another machine: %s", address, needTLS)
}

// needTLS says what to do about passwords that would cross a network in the open.
const needTLS = "--kafka-sasl-mechanism needs TLS there: set --kafka-tls-enabled or --kafka-tls-ca, or --kafka-sasl-without-tls if nobody can listen"

// needsTLS reports whether connections that leave this machine must be encrypted.
func (c Config) needsTLS() bool { return c.SASL.isOn() && !c.TLS.isOn() && !c.SASL.WithoutTLS }

// validateSecrecy refuses brokers that a password would be sent to in the open.
func (c Config) validateSecrecy() error {
	if !c.needsTLS() {
		return nil
	}
	for _, broker := range c.Brokers {
		if !isLoopback(broker) {
			return fmt.Errorf("kafka broker %s is beyond this machine: %s", broker, needTLS)
		}
	}
	return nil
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
