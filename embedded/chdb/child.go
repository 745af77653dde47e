package chdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The parent's files in the child; see supervisor.start.
const (
	fdSocket   = 3
	fdLifeline = 4
	fdReadonly = 5
)

// childEnv carries ChildOptions as JSON from parent to child.
const childEnv = "MILLRACE_CHDB_CHILD"

// drainTime is how long statements may go on after a request to stop, and
// headerTime how long a client may take for its headers.
const (
	drainTime  = time.Second
	headerTime = 10 * time.Second
)

// ErrParentGone is RunChild's answer when the parent's end of the lifeline
// closed: there is nobody left to serve.
var ErrParentGone = errors.New("the parent process is gone")

// ChildOptions is what the parent tells the child. Sizes are in bytes.
type ChildOptions struct {
	LibPath              string
	Path                 string
	MaxServerMemoryUsage int64
	MarkCacheSize        int64
	Readonly             bool // whether a listener for the read-only interface is passed
}

// IsChild reports whether this process was started as an embedded ClickHouse.
func IsChild() bool { return os.Getenv(childEnv) != "" }

// ReadChildOptions reads what Start wrote for the child. It fails in a process
// that Start did not start: the hidden command is not for people.
func ReadChildOptions() (ChildOptions, error) {
	var o ChildOptions
	if !IsChild() {
		return o, errors.New("this command is started by millrace itself")
	}
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &o); err != nil {
		return o, fmt.Errorf("reading the embedded ClickHouse's options: %w", err)
	}
	return o, nil
}

// RunChild opens the engine and serves it on the listeners the parent passed,
// until ctx ends or SIGTERM comes (nil), the parent dies (ErrParentGone), the
// engine cannot be opened or the system refuses one of its writes. It ignores
// SIGINT: a terminal sends that to every process, and the parent decides the
// order in which things stop. It ignores SIGXFSZ, so that a file that may not
// grow is a refused write. The caller must exit when RunChild returns; engine
// threads and a statement that would not stop may still be running.
func RunChild(ctx context.Context, o ChildOptions) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGXFSZ)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	for _, fd := range []int{fdSocket, fdLifeline, fdReadonly} {
		syscall.CloseOnExec(fd)
	}
	orphaned := make(chan struct{})
	go func() {
		defer close(orphaned)
		awaitEOF(os.NewFile(fdLifeline, "lifeline"))
	}()
	served := make(chan error, 1)
	go func() { served <- serveChild(ctx, o) }()
	select {
	case err := <-served:
		return err
	case <-orphaned:
		return ErrParentGone
	}
}

// awaitEOF returns when the parent's end is closed, which the kernel does for
// every way a parent can die. Nothing is ever written.
func awaitEOF(lifeline *os.File) {
	var nothing [1]byte
	for {
		if _, err := lifeline.Read(nothing[:]); err != nil {
			return
		}
	}
}

func serveChild(ctx context.Context, o ChildOptions) error {
	lib, err := loadLibrary(o.LibPath)
	if err != nil {
		return err
	}
	engine, err := openEngine(lib, o)
	if err != nil {
		return err
	}
	gate, err := newGate(engine)
	if err != nil {
		return err
	}
	handlers := map[int]http.Handler{fdSocket: newInternal(engine, gate)}
	if o.Readonly {
		handlers[fdReadonly] = newReadonly(engine, gate, o)
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go engine.watchWrites(watch)
	return serve(ctx, handlers, engine.condemned)
}

// serve runs one HTTP server per listener until ctx ends, one of them fails or the engine is condemned.
func serve(ctx context.Context, handlers map[int]http.Handler, condemned <-chan struct{}) error {
	failed := make(chan error, len(handlers))
	servers := make([]*http.Server, 0, len(handlers))
	for fd, handler := range handlers {
		listener, err := net.FileListener(os.NewFile(uintptr(fd), "listener"))
		if err != nil {
			return fmt.Errorf("taking over listener %d from the parent: %w", fd, err)
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTime}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-condemned:
		return errRefusedWrite
	case <-ctx.Done():
		return shutdown(servers)
	}
}

// shutdown lets running statements finish within drainTime. What has been
// acknowledged is on disk by then; the process ends without closing the engine,
// because closing waits for a statement that still runs.
func shutdown(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("stopping the server: %w", err)
		}
	}
	return nil
}
