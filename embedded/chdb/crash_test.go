package chdb_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/embedded/chdb"
)

func onlyChild(t testing.TB) int {
	t.Helper()
	var found int
	eventually(t, "there is one child process", func() bool {
		children := childrenOf(t, os.Getpid())
		if len(children) == 1 {
			found = children[0]
		}
		return len(children) == 1
	})
	return found
}

func kill(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

func TestKillingTheChildLosesNoAcknowledgedRow(t *testing.T) {
	_, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	const rowsPerBatch = 500
	var acknowledged atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	var writers errgroup.Group
	for range 2 {
		writers.Go(func() error {
			batch := make([]any, rowsPerBatch)
			for ctx.Err() == nil {
				for i := range batch {
					batch[i] = uint64(i)
				}
				if tryInsert(t.Context(), conn, "INSERT INTO t", batch...) == nil {
					acknowledged.Add(rowsPerBatch)
				}
			}
			return nil
		})
	}
	for range 3 {
		before := acknowledged.Load()
		eventually(t, "inserts are acknowledged", func() bool { return acknowledged.Load() > before+10*rowsPerBatch })
		kill(t, onlyChild(t), syscall.SIGKILL)
	}
	after := acknowledged.Load()
	eventually(t, "clients recover", func() bool { return acknowledged.Load() > after+10*rowsPerBatch })
	stop()
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	stored := scalar[uint64](t, conn, "SELECT count() FROM t")
	if stored < acknowledged.Load() || stored%rowsPerBatch != 0 {
		t.Errorf("%d rows stored, %d acknowledged", stored, acknowledged.Load())
	}
}

func TestAServerWhoseChildKeepsDyingGivesUp(t *testing.T) {
	o := options(t)
	o.LibPath = filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(o.LibPath, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := chdb.Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "loading the ClickHouse library "+o.LibPath) {
		t.Errorf("got %v", err)
	}
}

func TestDoneAndErrTellThatTheServerGaveUp(t *testing.T) {
	server, conn := startAndConnect(t)
	if server.Err() != nil {
		t.Fatal(server.Err())
	}
	for range 6 {
		kill(t, onlyChild(t), syscall.SIGKILL)
		eventually(t, "the child is replaced, or none is", func() bool {
			select {
			case <-server.Done():
				return true
			default:
				return conn.Ping(t.Context()) == nil
			}
		})
	}
	<-server.Done()
	if server.Err() == nil {
		t.Error("Err is nil")
	}
	if _, err := server.DialContext(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("dialling says %v", err)
	}
}

func TestTheDataSurvivesARestart(t *testing.T) {
	o := options(t)
	first := start(t, o)
	conn := connect(t, first)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	insert(t, conn, "INSERT INTO t", uint64(1), uint64(2))
	began := time.Now()
	first.Close()
	t.Logf("closed in %s", time.Since(began))
	first.Close()
	if first.Err() != nil {
		t.Error(first.Err())
	}
	if got := scalar[uint64](t, connect(t, start(t, o)), "SELECT count() FROM t"); got != 2 {
		t.Errorf("%d rows", got)
	}
}

func TestClosingEndsARunningStatement(t *testing.T) {
	server, conn := startAndConnect(t)
	ended := make(chan error, 1)
	go func() { ended <- conn.Exec(t.Context(), "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)") }()
	eventually(t, "the statement runs", func() bool { return running(t, conn) == 1 })
	server.Close()
	if err := <-ended; err == nil {
		t.Error("the statement succeeded")
	}
}

func TestASecondProcessOnTheSameDataIsToldSo(t *testing.T) {
	o := options(t)
	first := start(t, o)
	o.HTTPAddr = ""
	_, err := chdb.Start(t.Context(), o)
	if !errors.Is(err, chdb.ErrLocked) || !strings.Contains(err.Error(), o.Path) {
		t.Errorf("got %v", err)
	}
	if err := connect(t, first).Ping(t.Context()); err != nil {
		t.Errorf("the first one was disturbed: %v", err)
	}
}

func TestASocketDirectoryThatIsTooLongIsReplaced(t *testing.T) {
	o := options(t)
	o.SocketDir = filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := connect(t, start(t, o)).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWrongOptionsAreListedTogether(t *testing.T) {
	_, err := chdb.Start(t.Context(), chdb.Options{Path: "relative"})
	for _, want := range []string{"LibPath", "Path", "Logger"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestTheReadOnlyInterfaceIsLoopbackOnly(t *testing.T) {
	o := options(t)
	o.HTTPAddr = "0.0.0.0:0"
	if _, err := chdb.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("got %v", err)
	}
}

func TestTheChildLeavesCtrlCToItsParent(t *testing.T) {
	_, conn := startAndConnect(t)
	child := onlyChild(t)
	kill(t, child, syscall.SIGINT)
	for range 20 {
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if again := onlyChild(t); again != child {
		t.Errorf("child %d was replaced by %d", child, again)
	}
	if group, err := syscall.Getpgid(child); err != nil || group != child {
		t.Errorf("the child's process group is %d, error %v", group, err)
	}
}

func TestTheChildSeesNoneOfTheParentsSecrets(t *testing.T) {
	t.Setenv("MILLRACE_API_KEY", "secret-key")
	start(t, options(t))
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(onlyChild(t)) + "/environ")
	if err != nil || !strings.Contains(string(environ), "PATH=") || strings.Contains(string(environ), "secret-key") {
		t.Errorf("error %v, environment %q", err, environ)
	}
}
