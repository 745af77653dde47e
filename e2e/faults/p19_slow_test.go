package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// crowdSize returns how many connections can be open here, of those wanted. Each takes a file descriptor of the test and
// one of ingest, which raises its own limit.
func crowdSize(t *testing.T, wanted int) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("raising the limit of file descriptors to %d: %v", limit.Max, err)
	}
	const others = 2000 // of senders, Kafka and ClickHouse
	if room := int(min(limit.Max, 1<<20)) - others; room < wanted {
		t.Logf("only %d of %d connections: the hard limit of file descriptors is %d (ulimit -Hn)", room, wanted, limit.Max)
		wanted = room
	}
	if wanted < 100 {
		t.Fatal("too few file descriptors for this test")
	}
	return wanted
}

// slowBeginnings are what slow clients send before they send no more.
func slowBeginnings(a attacker) map[string]string {
	return map[string]string{
		"nothing":      "",
		"half a line":  "POST /v1/rec",
		"half a head":  a.head("Content-Length: 100") + "X-Slow: ",
		"half a body":  a.head("Content-Length: 1000") + "\r\n{\"ty",
		"half a chunk": a.head("Transfer-Encoding: chunked") + "\r\n400\r\nab",
		"idle":         "GET /healthz HTTP/1.1\r\nHost: ingest\r\n\r\n",
	}
}

// crowd opens many connections at a time and returns how long each was left open, by kind, once all are closed. One in a
// hundred goes on sending a byte now and then, which must gain it nothing.
func crowd(t *testing.T, a attacker, slow, idle int) map[string]time.Duration {
	t.Helper()
	longest := map[string]time.Duration{}
	var mu sync.Mutex // guards longest
	var group sync.WaitGroup
	dialing := make(chan struct{}, 50)
	beginnings := slowBeginnings(a)
	for kind, text := range beginnings {
		many := slow / (len(beginnings) - 1)
		if kind == "idle" {
			many = idle
		}
		for i := range many {
			group.Go(func() {
				dialing <- struct{}{}
				conn, err := net.DialTimeout("tcp", a.address, attackPatience)
				<-dialing
				if err != nil {
					t.Errorf("%s: %v", kind, err)
					return
				}
				defer conn.Close()
				opened := time.Now()
				if err := hold(conn, text, kind != "idle" && text != "" && i%100 == 0); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
				mu.Lock()
				defer mu.Unlock()
				longest[kind] = max(longest[kind], time.Since(opened).Round(time.Millisecond))
			})
		}
	}
	group.Wait()
	return longest
}

// hold begins a request and stays until the other side closes.
func hold(conn net.Conn, text string, drips bool) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return nil // it is closed already
	}
	if drips {
		closed := make(chan struct{})
		var dripping sync.WaitGroup
		defer dripping.Wait()
		defer close(closed)
		dripping.Go(func() { drip(conn, closed) })
	}
	if err := conn.SetReadDeadline(time.Now().Add(attackPatience)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	if failed, is := err.(net.Error); is && failed.Timeout() { //nolint:errorlint // as it comes from the connection
		return fmt.Errorf("still open after %s", attackPatience)
	}
	return nil
}

func drip(conn net.Conn, closed <-chan struct{}) {
	ticks := time.NewTicker(200 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-closed:
			return
		case <-ticks.C:
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}
}

// pipeline posts events behind one another without waiting for answers, which must come in their order.
func pipeline(f *fleet.Fleet, a attacker, first, many int64) error {
	conn, err := net.DialTimeout("tcp", a.address, attackPatience)
	if err != nil {
		return err
	}
	defer conn.Close()
	var all strings.Builder
	for number := first; number < first+many; number++ {
		all.WriteString(a.sized(string(f.EventBody(number, number, 0))) + a.sized("nonsense"))
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { _, _ = io.WriteString(conn, all.String()) }) // what is missing, the answers tell
	answers := bufio.NewReader(conn)
	for number := first; number < first+many; number++ {
		for _, want := range []int{http.StatusNoContent, http.StatusBadRequest} {
			answer, err := http.ReadResponse(answers, nil)
			if err != nil {
				return fmt.Errorf("event %d: %w", number, err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			if answer.StatusCode != want {
				return fmt.Errorf("event %d: answered %d, want %d", number, answer.StatusCode, want)
			}
		}
		f.Ledger.Acknowledge(number)
	}
	return nil
}

// TestP19SlowClientsAreLetGoAndHoldUpNobody holds thousands of connections open, and fills others.
func TestP19SlowClientsAreLetGoAndHoldUpNobody(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	for _, role := range []string{"processor", "dispatcher", "eventlog"} {
		f.Start(fleet.Launch{Role: role}).AwaitReady()
	}
	ingest := f.Start(fleet.Launch{Role: "ingest", Flags: []string{"--ingest-idle-timeout=5s", "--ingest-read-timeout=5s"}})
	ingest.AwaitReady()
	senders := fleet.Senders{To: []string{ingest.URL}, PerSecond: 100, Duplicates: 0.1, Seed: random.Uint64()}
	load := f.StartLoad(senders)
	f.Pause(length / 2)
	without := load.Stop()
	senders.First = 1_000_000
	load = f.StartLoad(senders)
	attacker := newAttacker(f, ingest)
	size := crowdSize(t, 15_000)
	var group sync.WaitGroup
	for i := range int64(4) {
		group.Go(func() {
			if err := pipeline(f, attacker, 2_000_000+i*1000, 100); err != nil {
				t.Errorf("pipelined requests: %v", err)
			}
		})
	}
	longest := crowd(t, attacker, size/3, size-size/3)
	group.Wait()
	with := load.Stop()
	if with.Posted == 0 || f.Ledger.Acknowledged() <= without.Posted {
		t.Error("nothing came through beside the slow clients")
	}
	memory := ingest.PeakMemory()
	f.Ledger.Check(t)
	t.Logf("figure: %d connections, closed at the latest after %v; ingest had %d MB at most; without them: %s; with them: %s", size, longest, memory>>20, without, with)
}
