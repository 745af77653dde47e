package chdb_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/embedded/chdb"
)

// parentEnv makes this binary a parent with rows waiting on its standard input.
const parentEnv = "MILLRACE_TEST_PARENT"

// runParent starts a server, inserts while its own standard input is readable,
// prints how many rows there are and waits to be killed.
func runParent() int {
	count, err := insertBesideInput(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(count)
	select {}
}

func insertBesideInput(ctx context.Context) (count uint64, err error) {
	server, err := chdb.Start(ctx, chdb.Options{
		LibPath: os.Getenv("CHDB_LIB_PATH"), Path: os.Getenv(parentEnv), SocketDir: os.Getenv(parentEnv) + ".sock",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 0, err
	}
	conn, err := clickhouse.Open(clientOptions(server))
	if err != nil {
		return 0, err
	}
	for _, sql := range []string{"CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a", "INSERT INTO t VALUES (1)"} {
		if err := conn.Exec(ctx, sql); err != nil {
			return 0, err
		}
	}
	if err := tryInsert(ctx, conn, "INSERT INTO t", uint64(2), uint64(3)); err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, "SELECT count() FROM t").Scan(&count)
	return count, err
}

func TestAParentsDeathEndsTheChildAndItsInputIsNotInserted(t *testing.T) {
	input, err := os.CreateTemp(t.TempDir(), "stdin")
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if _, err := input.WriteString("77\n78\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := input.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+filepath.Join(t.TempDir(), "data"), "CHDB_LIB_PATH="+library(t))
	parent.Stdin, parent.Stderr = input, os.Stderr
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var count int
	if _, err := fmt.Fscan(output, &count); err != nil || count != 3 {
		t.Errorf("the parent counted %d rows, error %v", count, err)
	}
	children := childrenOf(t, parent.Process.Pid)
	kill(t, parent.Process.Pid, syscall.SIGKILL)
	began := time.Now()
	_ = parent.Wait()
	if len(children) != 1 {
		t.Fatalf("the parent had the children %v", children)
	}
	eventually(t, "the child is gone", func() bool { return !alive(children[0]) })
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("the child lived on for %s", took)
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
