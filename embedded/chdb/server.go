package chdb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// internalSlots is how many statements the internal interface runs at once; a
// request beyond that waits as long as its client does.
const internalSlots = 8

// internal is the full ClickHouse HTTP interface; only the parent's socket leads to it.
type internal struct {
	engine *engine
	gate   *gate
	slots  slots
}

func newInternal(e *engine, g *gate) http.Handler {
	h := &internal{engine: e, gate: g, slots: make(slots, internalSlots)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", ping)
	mux.HandleFunc("/{$}", h.serve)
	return mux
}

func ping(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	_, _ = io.WriteString(w, "Ok.\n")
}

func (h *internal) serve(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r, maxStatement)
	answer := newAnswer(w, req.format)
	if err != nil {
		answer.fail(err)
		return
	}
	err = h.slots.use(r.Context(), h.engine, func(s *session) error {
		return h.run(r.Context(), s, req, answer)
	})
	if err != nil {
		answer.fail(err)
		return
	}
	answer.start()
}

// run lets a statement that asks for the readonly setting pass the gate: by itself the setting does not keep what it
// promises, and who sets it does so because somebody else wrote the statement.
func (h *internal) run(ctx context.Context, s *session, req request, answer *answer) error {
	if !req.readonly() || req.hello {
		return s.serve(ctx, req, answer)
	}
	if req.rows != nil {
		return refused("INSERT writes")
	}
	admitted, err := h.gate.admit(s, req.sql)
	if err != nil {
		return err
	}
	req.sql = admitted
	return s.serve(ctx, req, answer)
}

func (s *session) serve(ctx context.Context, req request, answer *answer) error {
	err := s.perform(ctx, req, answer)
	if err == nil && !mayWrite(req) {
		return nil
	}
	// What failed may have met a part that a refused write left behind, and the next child does not have that part.
	return errors.Join(s.engine.checkWrites(), err)
}

func mayWrite(req request) bool { return req.rows != nil || !req.hello && !canStream(req.sql) }

func (s *session) perform(ctx context.Context, req request, answer *answer) error {
	if err := s.prepare(req); err != nil {
		return err
	}
	if req.rows != nil {
		return s.insert(ctx, req.sql, req.format, req.rows)
	}
	if req.hello {
		return s.hello(answer)
	}
	if kind := s.classify(req.sql); kind.statements > 1 {
		return newException(codeSyntaxError, "Multi-statements are not allowed", "SYNTAX_ERROR")
	}
	return s.run(ctx, req.statement, answer.write)
}

// prepare applies a request's settings and database to its connection.
func (s *session) prepare(req request) error {
	if len(req.settings) > 0 {
		sql, err := setStatement(req.settings)
		if err != nil {
			return err
		}
		if _, err := s.text(sql); err != nil {
			return err
		}
	}
	if req.database == "" || req.database == "default" {
		return nil
	}
	_, err := s.text("USE " + quoteName(req.database))
	return err
}

func setStatement(settings []setting) (string, error) {
	parts := make([]string, len(settings))
	for i, s := range settings {
		if !isName(s.name) {
			return "", newException(codeUnknownSetting, "Unknown setting "+quoteString(s.name), "UNKNOWN_SETTING")
		}
		parts[i] = s.name + " = " + quoteString(s.value)
	}
	return "SET " + strings.Join(parts, ", "), nil
}
