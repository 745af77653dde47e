// Command certificates makes what the secured listener of the tests' Apache Kafka and its clients need, in a directory:
// ca.pem, broker.pem (key and certificate), client.pem and client-key.pem. The authority's key is not kept.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace/millrace/rig/pki"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: certificates DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "certificates:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	authority, err := pki.New()
	if err != nil {
		return err
	}
	broker, brokerKey, err := authority.Issue("broker", "127.0.0.1", "localhost")
	if err != nil {
		return err
	}
	client, clientKey, err := authority.Issue("client")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	for name, text := range map[string][]byte{
		"ca.pem": authority.PEM(), "broker.pem": bytes.Join([][]byte{brokerKey, broker}, nil),
		"client.pem": client, "client-key.pem": clientKey,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("writing a certificate: %w", err)
		}
	}
	return nil
}
