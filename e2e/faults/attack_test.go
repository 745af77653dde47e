package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// attackPatience is how long an attacker waits for an answer; it is no expectation.
const attackPatience = time.Minute

// attacker speaks to ingest on connections of its own, more rudely than an HTTP client can.
type attacker struct{ address, path string }

func newAttacker(f *fleet.Fleet, ingest *fleet.Process) attacker {
	return attacker{strings.TrimPrefix(ingest.URL, "http://"), f.Path}
}

// head is the beginning of a post, without the line that ends the headers.
func (a attacker) head(headers ...string) string {
	all := append([]string{"POST " + a.path + " HTTP/1.1", "Host: ingest", "Content-Type: application/json"}, headers...)
	return strings.Join(all, "\r\n") + "\r\n"
}

// sized is a whole post.
func (a attacker) sized(body string, headers ...string) string {
	return a.head(append(headers, fmt.Sprintf("Content-Length: %d", len(body)))...) + "\r\n" + body
}

// send sends what it is given on a new connection, as far as the other side takes it, and returns the status of the
// answer; 0 where the connection was closed without one that could be read.
func (a attacker) send(request io.Reader) (status int, err error) {
	conn, err := net.DialTimeout("tcp", a.address, attackPatience)
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", err)
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	defer conn.Close()
	writing.Go(func() { _, _ = io.Copy(conn, request) }) // the other side may close whenever it likes
	if err := conn.SetReadDeadline(time.Now().Add(attackPatience)); err != nil {
		return 0, fmt.Errorf("setting the deadline: %w", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		return 0, errors.New("neither answered nor closed")
	}
	if err != nil {
		return 0, nil // closed: the answer may have been lost with what was still being sent
	}
	return answer.StatusCode, nil
}

// tally counts what became of attacks, by kind and status.
type tally struct {
	mu     sync.Mutex // guards counts
	counts map[string]map[int]int
}

func (c *tally) note(kind string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]map[int]int{}
	}
	if c.counts[kind] == nil {
		c.counts[kind] = map[int]int{}
	}
	c.counts[kind][status]++
}

// require expects that every attack of a kind was answered so, or in one of the other ways that are possible, too.
func (c *tally) require(t *testing.T, kind string, want int, others ...int) {
	t.Helper()
	for status, count := range c.counts[kind] {
		if status != want && !slices.Contains(others, status) {
			t.Errorf("%s: %d answers %d, want %d", kind, count, status, want)
		}
	}
	if c.counts[kind][want] == 0 {
		t.Errorf("%s: no answer %d among %v", kind, want, c.counts[kind])
	}
}

// repeat lets many do something at the same time, again and again, until the time is over; each at least once.
func repeat(t *testing.T, many int, length time.Duration, do func() error) {
	t.Helper()
	var group sync.WaitGroup
	deadline := time.Now().Add(length)
	for range many {
		group.Go(func() {
			for {
				if err := do(); err != nil {
					t.Error(err)
					return
				}
				if time.Now().After(deadline) {
					return
				}
			}
		})
	}
	group.Wait()
}
