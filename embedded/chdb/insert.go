package chdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"unsafe"
)

// insertPiece is how much of an insert's body is handed to the engine at a time.
const insertPiece = 1 << 20

// insert feeds body to an INSERT statement without its FORMAT clause. It uses
// the library's insert stream because an INSERT run as a query would also read
// this process's standard input. When body ends early (the client is gone),
// nothing is committed.
func (s *session) insert(ctx context.Context, sql, format string, body io.Reader) error {
	tag := s.engine.tag()
	sql = tag + sql
	defer s.engine.killWhenDone(ctx, tag)()
	lib := s.engine.lib
	stream := lib.insertStream(s.conn(), unsafe.StringData(sql), uintptr(len(sql)), unsafe.StringData(format), uintptr(len(format)))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if stream == nil {
		return errors.New("the engine gave no insert stream")
	}
	defer lib.destroyInsert(stream)
	if err := lib.insertFailure(stream); err != nil {
		return err
	}
	if err := s.feed(stream, body); err != nil {
		lib.insertCancel(stream)
		return err
	}
	result := lib.insertDone(stream)
	if result == nil {
		return errors.Join(errors.New("the engine did not finish the insert"), lib.insertFailure(stream))
	}
	defer lib.destroyResult(result)
	return lib.failure(result)
}

func (s *session) feed(stream unsafe.Pointer, body io.Reader) error {
	lib := s.engine.lib
	piece := make([]byte, insertPiece)
	for {
		n, err := fill(body, piece)
		if n > 0 && lib.insertAppend(stream, &piece[0], uintptr(n)) != 0 {
			return errors.Join(lib.insertFailure(stream), drain(body))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the rows to insert: %w", err)
		}
	}
}

// fill reads until piece is full. Unlike io.ReadFull it keeps the two ends of a
// body apart: io.EOF is its proper end, io.ErrUnexpectedEOF a client that broke
// off, whose rows must not be committed.
func fill(body io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var read int
		read, err = body.Read(piece[n:])
		n += read
	}
	return n, err
}

// drain reads what is left of a refused insert: a client that is still writing
// would otherwise see a broken connection in place of the answer.
func drain(body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

func (l *library) insertFailure(stream unsafe.Pointer) error {
	if text := l.insertError(stream); text != "" {
		return parseException(text)
	}
	return nil
}
