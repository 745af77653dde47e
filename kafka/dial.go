package kafka

import (
	"context"
	"fmt"
	"net"
	"time"
)

// dialTimeout is how soon a broker that is gone is noticed, so that ingest can answer 503 in time.
const dialTimeout = 5 * time.Second

// dial connects to a broker. Which brokers there are is told by brokers: each is looked at here, and not the settings alone.
func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.TLS.isOn() {
		return c.TLS.dial(ctx, network, address)
	}
	if err := c.checkSecrecy(address); err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	return dialer.DialContext(ctx, network, address)
}

// checkSecrecy refuses a broker that a password or a token would be sent to in the open.
func (c Config) checkSecrecy(address string) error {
	if !c.SASL.isOn() || c.TLS.isOn() || c.SASL.WithoutTLS || isLoopback(address) {
		return nil
	}
	return fmt.Errorf("kafka broker %s is beyond this machine, where --kafka-sasl-mechanism needs TLS: "+
		"set --kafka-tls-enabled or --kafka-tls-ca, or --kafka-sasl-without-tls if nobody can listen", address)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
