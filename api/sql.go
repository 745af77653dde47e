package api

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/secretref"
)

// SQLRequest is a question in SQL.
type SQLRequest struct {
	Query      string            `json:"query"`
	Parameters map[string]string `json:"parameters,omitempty"` // for {name:Type} in the query
}

// runSQL answers a question in SQL, where that is allowed.
func (a *API) runSQL(c *fiber.Ctx) error {
	if a.sql == nil {
		return &problem{
			status: fiber.StatusNotFound, Code: "not_found",
			Message: "SQL is not answered here; --api-sql-enabled turns it on, with a user of ClickHouse that can only read",
		}
	}
	var request SQLRequest
	if err := decode(c, &request); err != nil {
		return err
	}
	if strings.TrimSpace(request.Query) == "" {
		return unprocessable([]problem{misfit("query", "give a SELECT")})
	}
	table, err := a.sql.Ask(c.UserContext(), request.Query, request.Parameters)
	if err != nil {
		return err
	}
	return c.JSON(table)
}

// SQLConfig says whether users may ask in SQL, as whom, and what one question may take.
type SQLConfig struct {
	Enabled     bool          `help:"Answer questions in SQL at POST /api/v1/sql, to tokens of the scope write. Needs a user of ClickHouse that can only read; on the embedded ClickHouse its read-only interface is asked."`
	DSN         string        `help:"ClickHouse for questions in SQL, as --clickhouse-dsn, with a user who has no more than SELECT on the event log's database." placeholder:"DSN"`
	PasswordRef string        `name:"password" help:"Where that user's password is: env:NAME or file:PATH." placeholder:"REF"`
	Rows        int           `help:"Rows of an answer; the rest is cut off." default:"10000"`
	Bytes       int64         `help:"Bytes of an answer." default:"16777216"`
	Time        time.Duration `help:"How long an answer may take, in whole seconds." default:"10s"`
	Read        int64         `help:"Rows that may be read for an answer." default:"1000000000"`
	Memory      int64         `help:"Bytes of memory of the server for an answer; the embedded one has its own limit." default:"1073741824"`
}

// Bounds are the limits of one question.
func (c SQLConfig) Bounds() query.SQLBounds {
	return query.SQLBounds{Rows: c.Rows, Bytes: c.Bytes, Time: c.Time, Read: c.Read, Memory: c.Memory}
}

func (c SQLConfig) validate() error {
	if !c.Enabled {
		return nil
	}
	var problems []error
	if c.Rows < 1 || c.Bytes < 1 || c.Read < 1 || c.Memory < 1 {
		problems = append(problems, errors.New("api sql: rows, bytes, read and memory must be at least 1"))
	}
	if c.Time < time.Second || c.Time >= requestTimeout || c.Time%time.Second != 0 {
		problems = append(problems, fmt.Errorf("api sql time %s: must be whole seconds, from 1 s to less than %s", c.Time, requestTimeout))
	}
	if c.PasswordRef != "" {
		if err := secretref.Check(c.PasswordRef); err != nil {
			problems = append(problems, fmt.Errorf("api sql password: %w", err))
		}
	}
	return errors.Join(problems...)
}
