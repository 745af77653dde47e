package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
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
	_, err := t.config()
	return err
}

// config reads the files. All that is wrong with them is reported at once.
func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	var problems []error
	if t.CA != "" {
		pool, err := authorities(t.CA)
		config.RootCAs, problems = pool, append(problems, err)
	}
	switch {
	case t.Cert != "" && t.Key != "":
		certificate, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			problems = append(problems, fmt.Errorf("client certificate for Kafka (--kafka-tls-cert, --kafka-tls-key): %w", err))
		}
		config.Certificates = []tls.Certificate{certificate}
	case t.Cert != "":
		problems = append(problems, errors.New("--kafka-tls-cert needs --kafka-tls-key, the file of its private key"))
	case t.Key != "":
		problems = append(problems, errors.New("--kafka-tls-key needs --kafka-tls-cert, the file of its certificate"))
	}
	return config, errors.Join(problems...)
}

func authorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("authorities of Kafka's certificates (--kafka-tls-ca): %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities of Kafka's certificates (--kafka-tls-ca): %s holds no certificate in PEM", path)
	}
	return pool, nil
}

// dial connects with what the files hold now.
func (t TLS) dial(ctx context.Context, network, address string) (net.Conn, error) {
	config, err := t.config()
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: config}
	conn, err := dialer.DialContext(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	if _, isUntrusted := errors.AsType[*tls.CertificateVerificationError](err); isUntrusted {
		return nil, fmt.Errorf("broker %s is not who it should be; check --kafka-tls-ca and --kafka-tls-server-name: %w", address, err)
	}
	return nil, err
}
