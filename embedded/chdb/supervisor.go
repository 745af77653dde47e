package chdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	restartDelay  = 50 * time.Millisecond
	restartBudget = 5 // restarts within restartWindow; one more exit and the server gives up
	restartWindow = time.Minute
	stopTimeout   = 3 * time.Second // longer than the child's drainTime
)

// ErrLocked says that another process has the data directory open.
var ErrLocked = errors.New("another process is using the ClickHouse data directory")

// supervisor keeps one child running. done and err belong to Server.supervise:
// err is set before done is closed.
type supervisor struct {
	executable string
	arguments  []string
	env        []string
	dir        string // where the child runs: names without a path mean files in here
	listeners  *listeners
	logger     *slog.Logger
	done       chan struct{}
	err        error
}

func newSupervisor(o Options, l *listeners) (*supervisor, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this executable: %w", err)
	}
	options, err := json.Marshal(ChildOptions{
		LibPath: o.LibPath, Path: o.Path,
		MaxServerMemoryUsage: o.MaxServerMemoryUsage, MarkCacheSize: o.MarkCacheSize,
		Readonly: l.http != nil,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the child's options: %w", err)
	}
	env := append(childEnvironment(os.Environ()), childEnv+"="+string(options))
	return &supervisor{
		executable: executable, arguments: o.ChildCommand, env: env, dir: o.Path,
		listeners: l, logger: o.Logger, done: make(chan struct{}),
	}, nil
}

// childEnvironment keeps what the engine and the Go runtime read. The child
// runs other people's SQL: the parent's keys have no business there.
func childEnvironment(environ []string) []string {
	var kept []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		switch name {
		case "PATH", "HOME", "TZ", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH",
			"GODEBUG", "GOTRACEBACK", "GOMAXPROCS", "GOMEMLIMIT", "GORACE", "GOCOVERDIR":
			kept = append(kept, entry)
		}
	}
	return kept
}

// run starts the child again and again until ctx ends (nil) or it has ended
// too often, which is an error with the last of what it said.
func (s *supervisor) run(ctx context.Context) error {
	var restarts []time.Time
	for {
		said := &lastLines{}
		err := s.runOnce(ctx, said)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the child ended because it was told to
		}
		restarts = recent(restarts, time.Now())
		if len(restarts) >= restartBudget {
			return gaveUp(err, said.String())
		}
		s.logger.Warn("the embedded ClickHouse ended and is started again", "error", err, "stderr", said.String())
		restarts = append(restarts, time.Now())
		select {
		case <-time.After(restartDelay):
		case <-ctx.Done():
			return nil
		}
	}
}

// recent drops the restarts that are older than restartWindow.
func recent(restarts []time.Time, now time.Time) []time.Time {
	for len(restarts) > 0 && now.Sub(restarts[0]) > restartWindow {
		restarts = restarts[1:]
	}
	return restarts
}

func gaveUp(err error, said string) error {
	if strings.Contains(said, "Cannot lock file") {
		return fmt.Errorf("%w; stop it or choose another directory: %s", ErrLocked, said)
	}
	return fmt.Errorf("the embedded ClickHouse ended %d times within %s, last with %w: %s", restartBudget+1, restartWindow, err, said)
}

// runOnce runs one child to its end. Its lifeline is a pipe whose write end only
// this process holds: when it closes, for whatever reason, the child exits.
func (s *supervisor) runOnce(ctx context.Context, said *lastLines) error {
	child, lifeline, err := s.start(said)
	if err != nil {
		return err
	}
	defer lifeline.Close()
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case err := <-ended:
		return fmt.Errorf("its process: %w", orCleanExit(err))
	case <-ctx.Done():
		return s.terminate(child, ended)
	}
}

// orCleanExit names the end of a child that exited with status 0 unasked.
func orCleanExit(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// start runs the child in a process group of its own, so that ctrl-C reaches
// only the parent, and with /dev/null as standard input (what a nil Stdin is).
func (s *supervisor) start(said *lastLines) (child *exec.Cmd, lifeline *os.File, err error) {
	socket, http, err := s.listeners.files()
	if err != nil {
		return nil, nil, fmt.Errorf("copying the listeners for the child: %w", err)
	}
	defer socket.Close()
	defer http.Close() // on the nil of no read-only interface it does nothing
	readEnd, lifeline, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("making the child's lifeline: %w", err)
	}
	defer readEnd.Close()
	child = exec.Command(s.executable, s.arguments...)
	child.Env, child.Dir = s.env, s.dir
	child.Stderr = said
	child.ExtraFiles = []*os.File{socket, readEnd}
	if http != nil {
		child.ExtraFiles = append(child.ExtraFiles, http)
	}
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting %s: %w", s.executable, err), lifeline.Close())
	}
	return child, lifeline, nil
}

// terminate asks the child to stop and, after stopTimeout, kills its group.
func (s *supervisor) terminate(child *exec.Cmd, ended <-chan error) error {
	if err := child.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.logger.Warn("asking the embedded ClickHouse to stop", "error", err)
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(stopTimeout):
		s.logger.Warn("the embedded ClickHouse did not stop in time and is killed", "after", stopTimeout)
		return errors.Join(syscall.Kill(-child.Process.Pid, syscall.SIGKILL), <-ended)
	}
}
