package ingest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/schemas"
)

// dial opens a connection of its own to ingest and sends the text.
func (w *world) dial(text string) net.Conn {
	w.t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(w.url, "http://"), patience)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// head is the beginning of a post to an endpoint, without the line that ends the headers.
func (w *world) head(endpoint string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: ingest\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", strings.TrimPrefix(endpoint, w.url), length)
}

// drip sends a byte now and then, which no deadline may count as progress, until the other side closes.
func drip(conn net.Conn) {
	ticks := time.NewTicker(200 * time.Millisecond)
	defer ticks.Stop()
	for range ticks.C {
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
	}
}

// requireClosed expects ingest to close a connection within a bound that no deadline of a few seconds comes near.
func requireClosed(t *testing.T, what string, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, conn)
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		t.Errorf("%s: it is still open", what)
	}
}

func TestSlowClientsAreLetGoAndHoldUpNobody(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.MaxConnections, c.ReadTimeout = 5000, 5*time.Second })
	endpoint := w.endpoint("production", nil)
	begun := map[string]string{
		"nothing":      "",
		"half a line":  "POST /v1/rec",
		"half a head":  w.head(endpoint, len(good)) + "X-Slow: ",
		"half a body":  w.head(endpoint, 1000) + "\r\n" + good[:5],
		"half a chunk": strings.Replace(w.head(endpoint, 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + "\r\n400\r\nab",
	}
	var dripping sync.WaitGroup
	slow := map[string][]net.Conn{}
	for what, text := range begun {
		for range 400 {
			slow[what] = append(slow[what], w.dial(text))
		}
		if text != "" {
			first := slow[what][0]
			dripping.Go(func() { drip(first) })
		}
	}
	for range 20 {
		if got := w.post(endpoint, good); got.status != http.StatusNoContent {
			t.Fatalf("beside slow clients: %d %s", got.status, got.body)
		}
	}
	for what, conns := range slow {
		for _, conn := range conns {
			requireClosed(t, what, conn)
		}
	}
	dripping.Wait()
}

func TestIdleConnectionIsClosed(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.IdleTimeout = time.Second })
	conn := w.dial(w.head(w.endpoint("production", nil), len(good)) + "\r\n" + good)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("%+v, %v", answer, err)
	}
	requireClosed(t, "idle", conn)
}

func TestConnectionBeyondTheLimitIs503(t *testing.T) {
	w := newWorld(t, func(c *ingest.Config) { c.MaxConnections = 10 })
	held, statuses := make([]net.Conn, 12), make(chan int, 12)
	var reading sync.WaitGroup
	for i := range held { // which of them are beyond the limit the connections decide that the client had before
		held[i] = w.dial("P")
		reading.Go(func() {
			answer, err := http.ReadResponse(bufio.NewReader(held[i]), nil)
			if err != nil {
				return // closed by the test
			}
			statuses <- answer.StatusCode
		})
	}
	if first := <-statuses; first != http.StatusServiceUnavailable {
		t.Fatalf("the first answer is %d", first)
	}
	for _, conn := range held {
		conn.Close()
	}
	reading.Wait()
	endpoint := w.endpoint("production", nil)
	for deadline := time.Now().Add(patience); ; {
		if got := w.post(endpoint, good); got.status == http.StatusNoContent {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no room again")
		}
	}
}

func TestPipelinedRequestsAreAnsweredInTheirOrder(t *testing.T) {
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", nil)
	var all strings.Builder
	for i := range 50 {
		body := good
		if i%2 == 1 {
			body = "nonsense"
		}
		all.WriteString(w.head(endpoint, len(body)) + "\r\n" + body)
	}
	answers := bufio.NewReader(w.dial(all.String()))
	for i := range 50 {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		if want := []int{http.StatusNoContent, http.StatusBadRequest}[i%2]; answer.StatusCode != want {
			t.Errorf("request %d: %d, want %d", i, answer.StatusCode, want)
		}
	}
}

func TestTooLargeIs413ByItsAnnouncementAndByWhatIsRead(t *testing.T) {
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", nil)
	f := func(what, text string) {
		t.Helper()
		conn := w.dial(text)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %+v, %v", what, answer, err)
			return
		}
		requireClosed(t, what, conn)
	}
	f("announced", w.head(endpoint, 10<<20)+"\r\n") // nothing of it has to be sent
	chunked := strings.Replace(w.head(endpoint, 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + "\r\n"
	f("in chunks", chunked+strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 16)+"10000\r\n")
	f("in one chunk", chunked+"A00000\r\n")
}

func TestHeadThatIsTooLongIs431(t *testing.T) {
	w := newWorld(t, nil)
	answer, err := http.ReadResponse(bufio.NewReader(w.dial(w.head(w.endpoint("production", nil), 2)+"X-Long: "+strings.Repeat("x", 20<<10))), nil)
	if err != nil || answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestCompressedBodyIsRefusedWithoutUnpackingIt(t *testing.T) {
	w := newWorld(t, nil)
	for _, encoding := range []string{"gzip", "br", "deflate", "zstd"} {
		if got := w.post(w.endpoint("production", nil), "\x1f\x8b\x08 whatever", "Content-Encoding", encoding); got.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d %s", encoding, got.status, got.body)
		}
	}
}

func TestFormIsRefusedWithoutTakingItApart(t *testing.T) {
	w := newWorld(t, nil)
	got := w.post(w.endpoint("production", nil), "no form at all", "Content-Type", "multipart/form-data; boundary=x")
	if got.status != http.StatusUnsupportedMediaType || got.code != "unsupported_media_type" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if len(w.read(schemas.RejectionsTopic, 1)) != 1 {
		t.Error("it is not logged")
	}
}
