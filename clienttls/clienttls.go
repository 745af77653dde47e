// Package clienttls turns files into what a client needs to speak TLS with a server: whom it trusts, and who it is. The
// settings stand with those of the server; here is what they have in common.
package clienttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Files are the settings.
type Files struct {
	Flags      string // what the names of the settings begin with, for errors: --kafka-tls
	CA         string // PEM file of the authorities; "" trusts those of the system
	Cert, Key  string // PEM files of the client's certificate
	ServerName string // "" is the host that is connected to
}

// Config reads the files. All that is wrong with them is reported at once. The certificate is read again for each
// connection, so that a renewed one is shown without a restart.
func (f Files) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	var problems []error
	if f.CA != "" {
		pool, err := f.authorities()
		config.RootCAs, problems = pool, append(problems, err)
	}
	switch {
	case f.Cert != "" && f.Key != "":
		_, err := f.certificate(nil)
		config.GetClientCertificate, problems = f.certificate, append(problems, err)
	case f.Cert != "":
		problems = append(problems, fmt.Errorf("%s-cert needs %s-key, the file of its private key", f.Flags, f.Flags))
	case f.Key != "":
		problems = append(problems, fmt.Errorf("%s-key needs %s-cert, the file of its certificate", f.Flags, f.Flags))
	}
	return config, errors.Join(problems...)
}

func (f Files) authorities() (*x509.CertPool, error) {
	text, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("authorities of the server's certificate (%s-ca): %w", f.Flags, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities of the server's certificate (%s-ca): %s holds no certificate in PEM", f.Flags, f.CA)
	}
	return pool, nil
}

func (f Files) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	certificate, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate of this client (%s-cert, %s-key): %w", f.Flags, f.Flags, err)
	}
	return &certificate, nil
}

// Explain adds to an error of a handshake which setting to look at, where the server's certificate is what is wrong.
func (f Files) Explain(err error) error {
	if _, isUntrusted := errors.AsType[*tls.CertificateVerificationError](err); isUntrusted {
		return fmt.Errorf("%w; the server is not who it should be, or %s-ca and %s-server-name say so wrongly", err, f.Flags, f.Flags)
	}
	return err
}
