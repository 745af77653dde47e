package dispatcher_test

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// wireRequest is what Knock's API takes: recipients as a list, members that are absent left out, and the event's bytes
// as they were posted.
const wireRequest = `{"recipients":["user-1",{"collection":"teams","id":"t1"}],"actor":"Zoë","data":{"big":9007199254740993,` +
	`"precise":0.10000000000000000555,"exp":1E400,"text":"<Ä> & 😀 \u2028 \"quoted\"","nested":{"z":1,"a":[null,true,{}]}},"tenant":"acme","cancellation_key":"inv_991"}`

// TestRequestOnTheWireIsKnocks reads the bytes from the socket. Method, path, authorization, idempotency key, content
// type and body are those of Knock's SDK for workflows.trigger; what else is in the head is named here too.
func TestRequestOnTheWireIsKnocks(t *testing.T) {
	heads := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(request.Body)
		heads <- request
		bodies <- string(body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{\"workflow_run_id\":\"wf-1\"}")
	}()
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.destination.BaseURL = "http://" + listener.Addr().String()
	run := newRun("4f3c0f0e-0000-8000-8000-000000000001")
	run.Request = []byte(wireRequest)
	p.write(0, "k", run)
	p.run(quick())
	p.waitCommitted(0, 1)
	head, body := <-heads, <-bodies
	if head.Method != http.MethodPost || head.RequestURI != "/v1/workflows/order-confirmation/trigger" || head.Proto != "HTTP/1.1" {
		t.Errorf("%s %s %s", head.Method, head.RequestURI, head.Proto)
	}
	if body != wireRequest || head.ContentLength != int64(len(wireRequest)) {
		t.Errorf("the body is\n%s\nwant\n%s", body, wireRequest)
	}
	want := http.Header{
		"Authorization": {"Bearer sk_canary"}, "Content-Type": {"application/json"}, "Idempotency-Key": {run.RunID}, "User-Agent": {"millrace"},
		"Content-Length": head.Header["Content-Length"],
	}
	for name, values := range want {
		if !slices.Equal(head.Header[name], values) {
			t.Errorf("%s: %v, want %v", name, head.Header[name], values)
		}
	}
	if extra := slices.DeleteFunc(slices.Sorted(maps.Keys(head.Header)), func(name string) bool { return want[name] != nil || name == "Content-Length" }); len(extra) > 0 {
		t.Errorf("headers beside: %s", strings.Join(extra, ", "))
	}
}
