package dispatcher_test

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace/millrace/schemas"
)

// wireRequest is what Knock's API takes: recipients as a list, members that are absent left out, and the event's bytes
// as they were posted.
const wireRequest = `{"recipients":["user-1",{"collection":"teams","id":"t1"}],"actor":"Zoë","data":{"big":9007199254740993,` +
	`"precise":0.10000000000000000555,"exp":1E400,"text":"<Ä> & 😀 \u2028 \"quoted\"","nested":{"z":1,"a":[null,true,{}]}},"tenant":"acme","cancellation_key":"inv_991"}`

// onTheWire dispatches a run and returns its request as it was read from the socket.
func onTheWire(t *testing.T, request string) (head *http.Request, body string, run schemas.Run) {
	t.Helper()
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
	run = newRun("1dc74f79-d5bd-8cbd-9439-26a8c3bf6a98")
	run.Request = []byte(request)
	p.write(0, "k", run)
	p.run(quick())
	p.waitCommitted(0, 1)
	return <-heads, <-bodies, run
}

func TestRequestKeepsTheBytesOfTheRun(t *testing.T) {
	head, body, run := onTheWire(t, wireRequest)
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

// sdkRequest is the run whose request Knock's SDK was asked to send for the recording, as our mapping writes it.
const sdkRequest = `{"recipients":["user-1",{"id":"user-2","name":"Ada","email":"ada@example.com"},{"id":"proj-1","collection":"projects"}],` +
	`"actor":"user-9","data":{"total":42.5,"order":{"id":"o-1","items":[{"sku":"A"}]},"note":"Grüße <b>&"},"tenant":"acme","cancellation_key":"order-1"}`

// TestRequestIsTheOneOfKnocksSDK compares with what workflows.trigger of @knocklabs/node 1.35.0 put on the wire for the
// same call, recorded from the socket: testdata/knock-node-1.35.0.http.
func TestRequestIsTheOneOfKnocksSDK(t *testing.T) {
	recording, err := os.Open("testdata/knock-node-1.35.0.http")
	if err != nil {
		t.Fatal(err)
	}
	defer recording.Close()
	sdk, err := http.ReadRequest(bufio.NewReader(recording))
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(sdk.Body)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := onTheWire(t, sdkRequest)
	if head.Method != sdk.Method || head.RequestURI != sdk.RequestURI {
		t.Errorf("%s %s, the SDK sends %s %s", head.Method, head.RequestURI, sdk.Method, sdk.RequestURI)
	}
	for _, name := range []string{"Idempotency-Key", "Content-Type"} {
		if !slices.Equal(head.Header[name], sdk.Header[name]) {
			t.Errorf("%s: %v, the SDK sends %v", name, head.Header[name], sdk.Header[name])
		}
	}
	if ours, theirs := head.Header.Get("Authorization"), sdk.Header.Get("Authorization"); ours != "Bearer sk_canary" || theirs != "Bearer sk_test_1" {
		t.Errorf("Authorization: %s, the SDK sends %s", ours, theirs)
	}
	if !sameJSON(t, []byte(body), want) {
		t.Errorf("the body is\n%s\nthe SDK sends\n%s", body, want)
	}
}

// sameJSON compares but for the order of members, which the SDK takes from its caller.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	for _, text := range []*[]byte{&a, &b} {
		canonical := jsontext.Value(bytes.Clone(*text))
		if err := canonical.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		*text = canonical
	}
	return bytes.Equal(a, b)
}
