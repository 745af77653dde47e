package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/millrace/millrace/clienttls"
)

// TLS says how connections to the brokers are encrypted.
type TLS struct {
	Enabled    bool   `help:"Encrypt the connections to Kafka; any other setting of TLS switches this on, too. Without a CA file the brokers' certificates must come from an authority that the system trusts."`
	CA         string `name:"ca" help:"PEM file of the authorities that the brokers' certificates must come from; no others are trusted then." placeholder:"PATH"`
	Cert       string `help:"PEM file of the certificate that this process shows to the brokers, and of those between it and its authority. Read again for each connection: a renewed one needs no restart." placeholder:"PATH"`
	Key        string `help:"PEM file of the certificate's private key, not encrypted. Read again for each connection." placeholder:"PATH"`
	ServerName string `help:"Name that the brokers' certificates must have, where it is not the host that is connected to. It holds for all brokers." placeholder:"HOST"`
}

func (t TLS) isOn() bool { return t != TLS{} }

func (t TLS) validate() error {
	if !t.isOn() {
		return nil
	}
	_, err := t.files().Config()
	return err
}

func (t TLS) files() clienttls.Files {
	return clienttls.Files{Flags: "--kafka-tls", CA: t.CA, Cert: t.Cert, Key: t.Key, ServerName: t.ServerName}
}

// dial connects with what the files hold now.
func (t TLS) dial(ctx context.Context, network, address string) (net.Conn, error) {
	config, err := t.files().Config()
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: config}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to broker %s: %w", address, t.files().Explain(err))
	}
	return conn, nil
}
