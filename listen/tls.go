package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS says with which files a listener speaks TLS; the zero value is a plain listener.
type TLS struct {
	Cert     string `help:"Certificate (PEM, with the intermediate ones behind it) that this listener shows; with it the listener speaks TLS only, 1.2 or newer. It is read again within a second after the file changes, and one that cannot be used is logged and the one before stays. Without it the listener is plain." placeholder:"FILE"`
	Key      string `help:"The certificate's private key (PEM, not encrypted)." placeholder:"FILE"`
	ClientCA string `help:"Certificates (PEM) of those who sign the certificates of clients. With it only clients with such a certificate are served, health checks included; without it anybody may connect." placeholder:"FILE"`
}

// IsOn tells whether the listener speaks TLS.
func (t TLS) IsOn() bool { return t.Cert != "" }

// Scheme is what the listener's URLs begin with.
func (t TLS) Scheme() string {
	if t.IsOn() {
		return "https"
	}
	return "http"
}

// Validate reports every setting that cannot work, what is wrong in the files included. Flags begin with prefix.
func (t TLS) Validate(prefix string) error {
	if t == (TLS{}) {
		return nil
	}
	var problems []error
	if t.Cert == "" {
		problems = append(problems, fmt.Errorf("%s-cert: it is missing, and the key and the clients' certificates mean nothing without it", prefix))
	}
	if t.Key == "" {
		problems = append(problems, fmt.Errorf("%s-key: it is missing; a certificate is shown with its private key", prefix))
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	if _, err := t.load(); err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	return nil
}

// load reads the files.
func (t TLS) load() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s and key %s: %w", t.Cert, t.Key, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // the servers have no HTTP/2
	}
	if t.ClientCA == "" {
		return config, nil
	}
	signers, err := os.ReadFile(t.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates that sign clients': %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	// A session outlives the files: without tickets each connection shows a certificate that is good by now.
	config.SessionTicketsDisabled = true
	if !config.ClientCAs.AppendCertsFromPEM(signers) {
		return nil, fmt.Errorf("%s has no certificate in PEM", t.ClientCA)
	}
	return config, nil
}

// files are those that are watched.
func (t TLS) files() []string {
	files := []string{t.Cert, t.Key}
	if t.ClientCA != "" {
		files = append(files, t.ClientCA)
	}
	return files
}
