package fleet

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Query asks ClickHouse, past the link, and returns its answer as it is.
func (f *Fleet) Query(sql string) string {
	f.t.Helper()
	answer, err := f.ask(sql)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer
}

// Exec lets ClickHouse execute a statement on the fleet's tables.
func (f *Fleet) Exec(statement string) {
	f.t.Helper()
	f.Query(statement)
}

// Count returns the number that a question to ClickHouse has for an answer.
func (f *Fleet) Count(question string) (uint64, error) {
	answer, err := f.ask(question)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(answer), 10, 64)
}

func (f *Fleet) ask(sql string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: f.dialClickHouse, DisableKeepAlives: true}}
	answer, err := client.Post("http://clickhouse/?database="+f.database, "text/plain", strings.NewReader(sql))
	if err != nil {
		return "", fmt.Errorf("%s: %w", sql, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("%s: %w", sql, err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %d %s", sql, answer.StatusCode, body)
	}
	return string(body), nil
}
