package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// ingestMemory is what ingest may have at most, whatever is sent to it. It is given half the heap that the Helm chart
// gives it, so that what it has is what it needs, and not what the collector of garbage has not come to yet.
const (
	ingestMemory = 256 << 20
	ingestHeap   = "GOMEMLIMIT=200MiB"
)

// zeros are bytes without an end that take no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// chunks are zeros in the form of a chunked body without an end.
func chunks() io.Reader {
	return &again{text: "10000\r\n" + strings.Repeat("0", 1<<16) + "\r\n"}
}

// again reads a text again and again.
type again struct {
	text string
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.text[a.at:])
	a.at = (a.at + n) % len(a.text)
	return n, nil
}

// gzipBomb is ten megabytes in ten kilobytes.
func gzipBomb(t *testing.T) string {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := io.CopyN(writer, zeros{}, 10<<20); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// hostile is a kind of request and what it must be answered.
type hostile struct {
	kind    string
	many    int // at the same time
	request func() io.Reader
	want    int
	isLarge bool // so that there may be no room for it, or the connection closed before it has sent all
}

func hostiles(t *testing.T, a attacker) []hostile {
	text := func(all string) func() io.Reader { return func() io.Reader { return strings.NewReader(all) } }
	then := func(head string, body func() io.Reader) func() io.Reader {
		return func() io.Reader { return io.MultiReader(strings.NewReader(head), body()) }
	}
	tenMegabytes := func() io.Reader { return io.LimitReader(zeros{}, 10<<20) }
	bomb := gzipBomb(t)
	return []hostile{
		{"10 MB, announced", 500, then(a.head("Content-Length: 10485760")+"\r\n", tenMegabytes), http.StatusRequestEntityTooLarge, true},
		{"10 MB, in chunks", 500, then(a.head("Transfer-Encoding: chunked")+"\r\n", chunks), http.StatusRequestEntityTooLarge, true},
		{"half a megabyte, in chunks without an end", 500, text(a.head("Transfer-Encoding: chunked") + "\r\n7A120\r\n" + strings.Repeat("0", 500_000) + "\r\n"), http.StatusRequestTimeout, true},
		{"twice the limit", 100, text(a.sized(`{"padding":"` + strings.Repeat("x", 1_000_000) + `"}`)), http.StatusRequestEntityTooLarge, true},
		{"gzip bomb", 100, text(a.sized(bomb, "Content-Encoding: gzip")), http.StatusUnsupportedMediaType, false},
		{"gzip bomb that says nothing", 100, text(a.sized(bomb)), http.StatusBadRequest, false},
		{"cut off", 20, text(a.sized(`{"type":"track","event":"Order`)), http.StatusBadRequest, false},
		{"no UTF-8", 20, text(a.sized("{\"type\":\"track\",\"event\":\"\xff\xfe\"}")), http.StatusBadRequest, false},
		{"a large text that does not end", 20, text(a.sized(`{"type":"track","event":"` + strings.Repeat("a", 500_000))), http.StatusBadRequest, true},
		{"a form", 20, text(strings.Replace(a.sized("a=b"), "application/json", "multipart/form-data; boundary=x", 1)), http.StatusUnsupportedMediaType, false},
	}
}

// TestP18HostileBodiesAreRefusedInBoundedMemory sends all kinds at once, beside senders that mean no harm.
func TestP18HostileBodiesAreRefusedInBoundedMemory(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	for _, role := range []string{"processor", "dispatcher", "eventlog"} {
		f.Start(fleet.Launch{Role: role}).AwaitReady()
	}
	ingest := f.Start(fleet.Launch{Role: "ingest", Within: []string{"env", ingestHeap}, Flags: []string{"--ingest-read-timeout=5s"}})
	ingest.AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 200, Duplicates: 0.1, Seed: random.Uint64()})
	attacker := newAttacker(f, ingest)
	all := hostiles(t, attacker)
	var answers tally
	var group sync.WaitGroup
	for _, h := range all {
		group.Go(func() {
			repeat(t, h.many, length, func() error {
				status, err := attacker.send(h.request())
				answers.note(h.kind, status)
				return err
			})
		})
	}
	group.Wait()
	for _, h := range all { // without the crowd each is answered as it must be
		rig.Eventually(t, "there is room for "+h.kind, func() error {
			status, err := attacker.send(h.request())
			if err == nil && status != h.want {
				err = fmt.Errorf("answered %d, want %d", status, h.want)
			}
			answers.note(h.kind, status)
			return err
		})
	}
	for _, h := range all {
		others := []int{http.StatusRequestTimeout} // a machine that is busy may take as long as a slow client
		if h.isLarge {
			others = append(others, 0, http.StatusServiceUnavailable)
		}
		answers.require(t, h.kind, h.want, others...)
	}
	seen, memory := load.Stop(), ingest.PeakMemory()
	if memory > ingestMemory {
		t.Errorf("ingest had %d MB, want at most %d", memory>>20, ingestMemory>>20)
	}
	f.Ledger.Check(t)
	t.Logf("figure: answers by kind %v; ingest had %d MB at most; %s", answers.counts, memory>>20, seen)
}
