package chdb

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Codes of ClickHouse (system.errors) that this package gives itself or maps
// to an HTTP status; the rest are passed on from the engine as they are.
const (
	codeUnknownFunction  = 46
	codeUnknownColumn    = 47
	codeUnknownTable     = 60
	codeSyntaxError      = 62
	codeCannotWrite      = 75
	codeUnknownDatabase  = 81
	codeUnknownSetting   = 115
	codeTimeoutExceeded  = 159
	codeReadonly         = 164
	codeSupportDisabled  = 344
	codeUnknownException = 1002
)

// exception is a ClickHouse error: its number and its full text, which starts
// "Code: N. DB::Exception: " as clients expect.
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

func newException(code int, message, name string) *exception {
	return &exception{code: code, text: "Code: " + strconv.Itoa(code) + ". DB::Exception: " + message + " (" + name + ")"}
}

// parseException reads the engine's own error text.
func parseException(text string) *exception {
	digits, _, found := strings.Cut(strings.TrimPrefix(text, "Code: "), ".")
	code, err := strconv.Atoi(digits)
	if !found || err != nil {
		return newException(codeUnknownException, text, "UNKNOWN_EXCEPTION")
	}
	return &exception{code: code, text: text}
}

// asException gives any error the form a ClickHouse client understands.
func asException(err error) *exception {
	var known *exception
	if errors.As(err, &known) {
		return known
	}
	return newException(codeUnknownException, err.Error(), "UNKNOWN_EXCEPTION")
}

// status is the HTTP status ClickHouse's server uses for the same code.
func (e *exception) status() int {
	switch e.code {
	case codeSyntaxError, codeUnknownFunction, codeUnknownColumn, codeUnknownSetting:
		return http.StatusBadRequest
	case codeReadonly:
		return http.StatusForbidden
	case codeUnknownTable, codeUnknownDatabase:
		return http.StatusNotFound
	case codeTimeoutExceeded:
		return http.StatusRequestTimeout
	case codeSupportDisabled:
		return http.StatusNotImplemented
	default:
		return http.StatusInternalServerError
	}
}
