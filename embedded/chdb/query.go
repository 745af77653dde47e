package chdb

import (
	"context"
	"errors"
	"strings"
	"time"
	"unsafe"
)

// killEvery is how often a cancelled statement is asked to stop: a single KILL
// can come before the statement has registered, and would then be lost.
const killEvery = 100 * time.Millisecond

// statement is one SQL statement with its output format and parameters; the
// values are text in TSV escaping, as ClickHouse's param_ arguments are.
type statement struct {
	sql, format             string
	paramNames, paramValues []string
}

// run executes a statement and hands the result to sink piece by piece. A piece
// is the engine's own memory and valid only during the call. When ctx ends, the
// statement is killed and run returns after it has really stopped.
func (s *session) run(ctx context.Context, st statement, sink func([]byte) error) error {
	tag := s.engine.tag()
	streams := canStream(st.sql)
	st.sql = tag + st.sql
	defer s.engine.killWhenDone(ctx, tag)()
	if streams {
		return s.stream(st, sink)
	}
	return s.whole(st, sink)
}

// text runs a small internal statement and returns its whole result.
func (s *session) text(sql string) (string, error) {
	var out strings.Builder
	err := s.whole(statement{sql: sql, format: "RawBLOB"}, func(piece []byte) error {
		out.Write(piece)
		return nil
	})
	return out.String(), err
}

// whole runs a statement whose result the engine collects before returning it.
func (s *session) whole(st statement, sink func([]byte) error) error {
	lib := s.engine.lib
	result := lib.query.call(s.conn(), st)
	defer lib.destroyResult(result)
	if err := lib.failure(result); err != nil {
		return err
	}
	if piece := lib.bytes(result); len(piece) > 0 {
		return sink(piece)
	}
	return nil
}

// stream runs a SELECT and fetches block by block, so that memory stays bounded
// however large the result is and however slowly sink takes it.
func (s *session) stream(st statement, sink func([]byte) error) error {
	lib := s.engine.lib
	stream := lib.streamQuery.call(s.conn(), st)
	defer lib.destroyResult(stream)
	if err := lib.failure(stream); err != nil {
		return err
	}
	for {
		more, err := s.fetch(stream, sink)
		if err != nil {
			lib.streamCancel(s.conn(), stream)
			return err
		}
		if !more {
			return nil
		}
	}
}

func (s *session) fetch(stream unsafe.Pointer, sink func([]byte) error) (more bool, err error) {
	lib := s.engine.lib
	result := lib.streamFetch(s.conn(), stream)
	defer lib.destroyResult(result)
	if err := lib.failure(result); err != nil {
		return false, err
	}
	piece := lib.bytes(result)
	if len(piece) == 0 {
		return false, nil
	}
	return true, sink(piece)
}

// killWhenDone watches ctx while a statement runs. The caller must call the
// returned function before it gives the session away: it waits for the watcher,
// so that a late KILL cannot hit the session's next statement.
func (e *engine) killWhenDone(ctx context.Context, tag string) (stop func()) {
	finished, watcher := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watcher)
		select {
		case <-finished:
		case <-ctx.Done():
			e.killUntil(finished, tag)
		}
	}()
	return func() {
		close(finished)
		<-watcher
	}
}

func (e *engine) killUntil(finished <-chan struct{}, tag string) {
	ticker := time.NewTicker(killEvery)
	defer ticker.Stop()
	for {
		// A KILL that fails is repeated like one that came too early.
		_ = e.kill(tag)
		select {
		case <-finished:
			return
		case <-ticker.C:
		}
	}
}

// canStream reports whether the engine streams this kind of statement; it
// refuses all others with code 36.
func canStream(sql string) bool {
	first := firstWord(sql)
	return first == "SELECT" || first == "WITH"
}

func (l *library) failure(result unsafe.Pointer) error {
	if result == nil {
		return errors.New("the engine gave no result")
	}
	if text := l.resultError(result); text != "" {
		return parseException(text)
	}
	return nil
}

// bytes is the result's own memory: gone once the result is destroyed.
func (l *library) bytes(result unsafe.Pointer) []byte {
	n := l.resultLength(result)
	if n == 0 {
		return nil
	}
	return unsafe.Slice(l.resultBuffer(result), n)
}
