package chdb

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"
)

// engine is the one ClickHouse of this process. Its first connection opens the
// data directory and stays open for KILL and checkWrites; every request gets a connection of
// its own, so that nothing set on one (settings, USE, temporary tables) can
// reach another request. Opening and closing one takes about 0.1 ms.
type engine struct {
	lib     *library
	args    []string
	tags    atomic.Uint64
	mu      sync.Mutex // guards control: a connection runs one statement at a time
	control *session

	condemn   sync.Once
	condemned chan struct{} // closed when the system refused a write
}

// session is one connection. It serves one statement at a time and is used by
// one goroutine; close waits for a statement that still runs.
type session struct {
	engine *engine
	outer  *unsafe.Pointer
}

// openEngine opens the data directory. The library refuses a second process on
// the same directory and says so on standard error only.
func openEngine(lib *library, o ChildOptions) (*engine, error) {
	// The engine's own handlers would turn a Go nil dereference into a hang.
	lib.setSignalHandlers(0)
	e := &engine{lib: lib, condemned: make(chan struct{}), args: []string{
		"clickhouse",
		"--path=" + o.Path,
		"--max_server_memory_usage=" + strconv.FormatInt(o.MaxServerMemoryUsage, 10),
		"--mark_cache_size=" + strconv.FormatInt(o.MarkCacheSize, 10),
	}}
	control, err := e.open()
	if err != nil {
		return nil, fmt.Errorf("opening the ClickHouse data in %s: %w", o.Path, err)
	}
	e.control = control
	return e, nil
}

func (e *engine) open() (*session, error) {
	argv := make([]*byte, len(e.args))
	for i, arg := range e.args {
		argv[i] = unsafe.StringData(arg + "\x00")
	}
	outer := e.lib.connect(int32(len(argv)), &argv[0])
	runtime.KeepAlive(argv)
	if outer == nil {
		return nil, errors.New("the engine refused the connection; the line above says why")
	}
	return &session{engine: e, outer: outer}, nil
}

func (s *session) conn() unsafe.Pointer { return *s.outer }

func (s *session) close() { s.engine.lib.closeConn(s.outer) }

// tag makes the comment in front of a statement by which kill finds it.
func (e *engine) tag() string {
	return "/* millrace " + strconv.FormatUint(e.tags.Add(1), 10) + " */ "
}

// kill asks the engine to stop the statement with this tag. It must not be KILL
// ... SYNC: that waits for the connection's process entry, which lives on.
func (e *engine) kill(tag string) error {
	_, err := e.ask("KILL QUERY WHERE startsWith(query, " + quoteString(tag) + ")")
	return err
}

// ask runs a small statement on the control connection.
func (e *engine) ask(sql string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.control.text(sql)
}

// slots bounds how many statements of one interface run at the same time.
// Waiting for a slot ends with the request's context.
type slots chan struct{}

func (s slots) use(ctx context.Context, e *engine, work func(*session) error) error {
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s }()
	session, err := e.open()
	if err != nil {
		return err
	}
	defer session.close()
	return work(session)
}
