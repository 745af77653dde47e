package eventlog

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// defaultDatabase is the event log's where the DSN names none.
const defaultDatabase = "millrace"

// parseDSN reads a DSN with clickhouse-go's own parser, which takes any scheme for the native protocol and wants https to
// be said twice. No error holds the DSN: what was pasted into it may be a secret.
func parseDSN(dsn string) (*clickhouse.Options, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	switch scheme {
	case "clickhouse", "http":
	case "https":
		dsn = encrypted(dsn, rest)
	default:
		return nil, errors.New("it must begin with clickhouse://, http:// or https://")
	}
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if options.Auth.Password != "" {
		return nil, errors.New("it holds a password, and settings are shown in process lists and files; give --clickhouse-password=env:NAME or file:PATH instead")
	}
	for _, addr := range options.Addr {
		if !strings.Contains(addr, ":") {
			return nil, fmt.Errorf("host %q has no port; ClickHouse's are 9000 (native), 9440 (native, encrypted), 8123 (http), 8443 (https)", addr)
		}
	}
	options.Auth.Username = cmp.Or(options.Auth.Username, "default")
	options.Auth.Database = cmp.Or(options.Auth.Database, defaultDatabase)
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(options.Auth.Database) {
		return nil, fmt.Errorf("database %q: use letters, digits and _", options.Auth.Database)
	}
	return options, nil
}

func encrypted(dsn, rest string) string {
	switch _, parameters, found := strings.Cut(rest, "?"); {
	case !found:
		return dsn + "?secure=true"
	case strings.Contains("&"+parameters, "&secure="):
		return dsn
	default:
		return dsn + "&secure=true"
	}
}

// Database is the name of the event log's database; the settings must be valid.
func (c Config) Database() string {
	options, err := parseDSN(c.DSN)
	if err != nil {
		return ""
	}
	return options.Auth.Database
}

// applyTo adds the files to what the DSN says. Settings that would be without effect are refused.
func (t TLS) applyTo(options *clickhouse.Options) error {
	switch {
	case t == TLS{}:
		return nil
	case options.TLS == nil:
		return errors.New("--clickhouse-tls settings need a DSN that encrypts: https://, or clickhouse:// with ?secure=true")
	case options.TLS.InsecureSkipVerify:
		return errors.New("skip_verify in the DSN trusts every server; leave it out with --clickhouse-tls settings")
	}
	config, err := t.files().Config()
	options.TLS = config
	return err
}
