package eventlog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"github.com/millrace/millrace/clienttls"
	"github.com/millrace/millrace/secretref"
)

// Config says how to reach ClickHouse and when rows are written to it.
type Config struct {
	DSN         string `help:"Where ClickHouse is: clickhouse:// for its native protocol, http:// or https:// for HTTP. ?secure=true encrypts the native one; of several hosts the first that answers is used. Without /DATABASE it is millrace." placeholder:"clickhouse://[USER@]HOST:PORT[,HOST:PORT][/DATABASE]"`
	PasswordRef string `name:"password" help:"Where the password is: env:NAME or file:PATH." placeholder:"REF"`
	TLS         TLS    `embed:"" prefix:"tls-"`
	Cluster     string `help:"Cluster that the tables are replicated and distributed over, by the name that the ClickHouse servers know it by; empty is a single server." placeholder:"NAME"`
	InstanceID  string `help:"Name of this process in the consumer group, unique and the same after a restart; its partitions then wait for it instead of moving twice. Without one every restart is a new member."`
	Flush       Flush  `embed:"" prefix:"flush-"`

	// ReadOnly connects without a setting, which a user with readonly=1 may not change. It is not enough to write.
	ReadOnly bool `kong:"-"`
	// TTL is what Migrate gives to the tables; nil leaves them as they are.
	TTL *TTL `kong:"-"`
	// DialContext replaces the dialer. It is no setting: the embedded engine is reached this way.
	DialContext func(ctx context.Context, addr string) (net.Conn, error) `kong:"-"`
}

// TLS says whom connections to ClickHouse trust, and who this process is to it. It needs a DSN that encrypts.
type TLS struct {
	CA         string `name:"ca" help:"PEM file of the authorities that ClickHouse's certificate must come from; no others are trusted then. Read at start." placeholder:"PATH"`
	Cert       string `help:"PEM file of the certificate that this process shows to ClickHouse. Read again for each connection: a renewed one needs no restart." placeholder:"PATH"`
	Key        string `help:"PEM file of the certificate's private key, not encrypted." placeholder:"PATH"`
	ServerName string `help:"Name that ClickHouse's certificate must have, where it is not the host of the DSN." placeholder:"HOST"`
}

func (t TLS) files() clienttls.Files {
	return clienttls.Files{Flags: "--clickhouse-tls", CA: t.CA, Cert: t.Cert, Key: t.Key, ServerName: t.ServerName}
}

// Flush says when the collected rows of a table are written: at whichever bound comes first.
// Of each of the Inserts, twice Rows or Bytes and one poll are in memory at most.
type Flush struct {
	Rows     int           `help:"Rows of one insert." default:"50000"`
	Bytes    int           `help:"Bytes of records in one insert." default:"16777216"`
	Inserts  int           `help:"Inserts into one table at the same time; they share the partitions. More of them use more cores of the server and as much more memory here." default:"1"`
	Interval time.Duration `help:"How long a row waits at most. It is written when no other has come for a fifth of that." default:"1s"`
}

// maxInterval leaves a row enough of the two seconds within which it has to be visible.
const maxInterval = time.Second

// maxInserts bounds what ClickHouse has to merge afterwards, and the connections.
const maxInserts = 16

// Validate reports every setting that cannot work. No address at all is left to Connect.
func (c Config) Validate() error {
	var problems []error
	if c.DSN != "" {
		options, err := parseDSN(c.DSN)
		if err != nil {
			problems = append(problems, fmt.Errorf("clickhouse dsn: %w", err))
		} else {
			problems = append(problems, c.TLS.applyTo(options))
		}
	}
	if c.Cluster != "" && !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(c.Cluster) {
		problems = append(problems, fmt.Errorf("clickhouse cluster %q: use letters, digits, _ and -", c.Cluster))
	}
	if c.TTL != nil {
		problems = append(problems, c.TTL.validate())
	}
	if c.PasswordRef != "" {
		if err := secretref.Check(c.PasswordRef); err != nil {
			problems = append(problems, fmt.Errorf("clickhouse password: %w", err))
		}
	}
	return errors.Join(append(problems, c.Flush.validate())...)
}

func (f Flush) validate() error {
	var problems []error
	if f.Rows < 1 {
		problems = append(problems, fmt.Errorf("flush rows %d: must be at least 1", f.Rows))
	}
	if f.Bytes < 1 {
		problems = append(problems, fmt.Errorf("flush bytes %d: must be at least 1", f.Bytes))
	}
	if f.Inserts < 1 || f.Inserts > maxInserts {
		problems = append(problems, fmt.Errorf("flush inserts %d: must be 1 to %d", f.Inserts, maxInserts))
	}
	if f.Interval <= 0 || f.Interval > maxInterval {
		problems = append(problems, fmt.Errorf("flush interval %s: must be above 0 and at most %s", f.Interval, maxInterval))
	}
	return errors.Join(problems...)
}
