package eventlog

import (
	"errors"
	"fmt"
)

// Grants returns the statements that make the roles of ClickHouse, each with what it needs and no more: users are made by
// whoever administers ClickHouse, who gives each of them its role, and no statement here holds a secret.
func Grants(config Config) ([]string, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	database := config.Database()
	if database == "" {
		return nil, errors.New("the database is in the DSN; set --clickhouse-dsn")
	}
	var statements []string
	role := func(name string, grants ...string) {
		name = "millrace_" + name
		statements = append(statements, "CREATE ROLE IF NOT EXISTS "+name+config.onCluster())
		for _, grant := range grants {
			statements = append(statements, fmt.Sprintf("GRANT%s %s TO %s", config.onCluster(), grant, name))
		}
	}
	on := " ON " + database + ".*"
	// Reading tables of the server itself wants a grant where the server is set up so.
	role("reader", "SELECT"+on, "SELECT ON system.parts")
	role("eventlog", "SELECT, INSERT"+on, "SELECT ON system.tables")
	migrate := []string{
		"SELECT, INSERT, CREATE DATABASE, CREATE TABLE, DROP TABLE, ALTER TABLE" + on,
		"SELECT ON system.tables", "SELECT ON system.columns", "SELECT ON system.databases",
	}
	if config.Cluster != "" {
		migrate = append(migrate, "CLUSTER, REMOTE ON *.*")
	}
	role("migrate", migrate...)
	role("sql", "SELECT"+on)
	return statements, nil
}
