package eventlog

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ConnectReadonly returns a pool of connections like Connect's, as another user and without any setting of its own: a
// user who can only read may not be allowed to set anything. passwordRef is "" for no password.
func ConnectReadonly(ctx context.Context, config Config, user, passwordRef string) (driver.Conn, error) {
	config.User, config.PasswordRef = user, passwordRef
	options, err := config.options(config.Database)
	if err != nil {
		return nil, err
	}
	options.Settings = nil
	options.MaxOpenConns, options.MaxIdleConns = 4, 1
	return open(ctx, options)
}
