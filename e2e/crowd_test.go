package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/rig"
)

// crowdPatience bounds a failing test; it is no expectation.
const crowdPatience = 60 * time.Second

// postHead is a whole request to an endpoint but for its body.
func postHead(endpoint, length string) string {
	parsed, _ := url.Parse(endpoint)
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: ingest\r\nContent-Type: application/json\r\n%s\r\n\r\n", parsed.Path, length)
}

// exchange sends text and then what body writes on a connection of its own, and returns the status of the answer.
func exchange(p *rig.Pipeline, text string, body func(io.Writer)) (int, error) {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(p.IngestURL, "http://"), crowdPatience)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(crowdPatience)); err != nil {
		return 0, err
	}
	go func() {
		_, _ = io.WriteString(conn, text)
		body(conn) // ends at the latest when the connection is closed
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, nil
}

// zeros writes up to that many bytes of a body.
func zeros(size int64) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.Copy(w, io.LimitReader(zeroReader{}, size)) }
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { return len(p), nil }

// inParallel makes as many exchanges at once, and expects each that is answered to be answered so, and most to be
// answered: of one that is refused while it still sends, the answer may be lost with the connection.
func inParallel(t *testing.T, count, want int, exchange func() (int, error)) {
	t.Helper()
	var group errgroup.Group
	var answered atomic.Int64
	for range count {
		group.Go(func() error {
			status, err := exchange()
			if err != nil {
				return nil //nolint:nilerr // see above
			}
			answered.Add(1)
			if status != want {
				return fmt.Errorf("answered %d, want %d", status, want)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if answered.Load() < int64(count)/2 {
		t.Errorf("%d of %d are answered", answered.Load(), count)
	}
}

func TestBodiesOfTenMegabytesTakeNoMemory(t *testing.T) {
	app := newApp(t)
	p, endpoint := app.Pipeline, app.endpoint
	const count = 1000
	f := func(what string, limit int64, status int, during func() (int, error)) {
		t.Helper()
		grown := p.MemoryGrowth(func() { inParallel(t, count, status, during) })
		t.Logf("%s: %d MB more at the peak", what, grown>>20)
		if grown > limit {
			t.Errorf("%s: memory has grown by %d MB, the limit is %d MB", what, grown>>20, limit>>20)
		}
	}
	f("10 MB announced", 256<<20, 413, func() (int, error) {
		return exchange(p, postHead(endpoint, "Content-Length: 10485760"), zeros(10<<20))
	})
	f("10 MB in one chunk", 256<<20, 413, func() (int, error) {
		return exchange(p, postHead(endpoint, "Transfer-Encoding: chunked"), func(w io.Writer) {
			_, _ = io.WriteString(w, "A00000\r\n")
			zeros(10 << 20)(w)
		})
	})
	if answer, err := rig.Request(http.MethodPost, endpoint, []byte(good), nil); err != nil || answer.Status != http.StatusNoContent {
		t.Errorf("afterwards: %d %s, %v", answer.Status, answer.Body, err)
	}
}

// idleWanted is how many connections lie idle, unless this process may not have as many.
const idleWanted = 10_000

func TestIdleConnectionsHoldUpNobody(t *testing.T) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	// Go has raised the limit as far as it may; the same is true of the process under test.
	count := min(idleWanted, int(files.Cur)-500)
	app := newApp(t)
	p, endpoint := app.Pipeline, app.endpoint
	conns := make([]net.Conn, count)
	grown := p.MemoryGrowth(func() {
		for i := range conns {
			conns[i] = idle(t, p)
		}
		for range 20 {
			if answer, err := rig.Request(http.MethodPost, endpoint, []byte(good), nil); err != nil || answer.Status != http.StatusNoContent {
				t.Fatalf("beside idle connections: %d %s, %v", answer.Status, answer.Body, err)
			}
		}
	})
	t.Logf("%d idle connections: %d KB each", count, grown>>10/int64(count))
	if limit := int64(count) * 64 << 10; grown > limit {
		t.Errorf("memory has grown by %d MB, the limit is %d MB", grown>>20, limit>>20)
	}
	for _, conn := range conns {
		conn.Close()
	}
}

// idle returns a connection on which one request was answered.
func idle(t *testing.T, p *rig.Pipeline) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(p.IngestURL, "http://"), crowdPatience)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: ingest\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	return conn
}
