package dispatcher

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/schemas/jsonscan"
)

// answerBytes is how much of an answer is read. The answer to a started run is one short object.
const answerBytes = 64 << 10

// answerPatience is how long the rest of an answer may take once its status is known: the status has said what became of
// the run, and a body that never ends must not hold up others.
const answerPatience = 2 * time.Second

// errBaseURL says that a base URL cannot be used. The URL itself stays out, because it may hold credentials.
var errBaseURL = errors.New("the environment's workflow API has a base URL that is not one: write it as https://host")

// starter starts runs at a kind of destination. The courier has one for each kind.
type starter interface {
	// start makes one attempt. It fails in the answer, never otherwise, and returns soon after ctx ends.
	start(ctx context.Context, to Destination, run schemas.Run, traceparent string) answer
}

// nobody is the starter of environments whose runs somebody else reads from Kafka.
type nobody struct{}

func (nobody) start(context.Context, Destination, schemas.Run, string) answer {
	return answer{isUntold: true}
}

// caller is the starter for HTTP workflow APIs.
type caller struct {
	client  *http.Client
	timeout time.Duration
}

// newCaller returns a caller that reaches public addresses and the allowed networks. A proxy that the environment names
// is dialled instead where there is one: then its address must be allowed, and what may be called is its business.
func newCaller(config Config, allowed networks) *caller {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         allowed.dial,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: config.Concurrency, // or most calls would open a connection of their own
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression:  true, // or a small answer could unpack into a large one
	}
	return &caller{
		timeout: config.Timeout,
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *caller) close() { c.client.CloseIdleConnections() }

// start calls the API once and returns what it answered.
func (c *caller) start(ctx context.Context, to Destination, run schemas.Run, traceparent string) answer {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.timeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	request, err := newRequest(ctx, to, run)
	if err != nil {
		return answer{err: err}
	}
	if traceparent != "" {
		request.Header.Set("traceparent", traceparent)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{err: c.explain(ctx, err), isTimeout: isTimeout(ctx)}
	}
	defer response.Body.Close()
	if timer.Stop() {
		timer.Reset(min(answerPatience, c.timeout))
	}
	return answer{
		status:     response.StatusCode,
		body:       withoutKey(readAnswer(response.Body), to.APIKey),
		retryAfter: parseRetryAfter(response.Header.Get("Retry-After"), time.Now()),
	}
}

// readAnswer reads a body up to its limits. One that breaks off changes nothing: the status has said what became of the
// run.
func readAnswer(body io.Reader) []byte {
	got, _ := io.ReadAll(io.LimitReader(body, answerBytes))
	return got
}

// withoutKey takes the API key out of an answer: some APIs, and proxies before them, tell in an error what they were sent,
// and answers are kept where more people look than may know the key.
func withoutKey(body []byte, key string) []byte {
	if key == "" || !bytes.Contains(body, []byte(key)) {
		return body
	}
	return bytes.ReplaceAll(body, []byte(key), []byte("[API key]"))
}

// newRequest builds the request. Its body is the run's own bytes, and its key the run's ID, on every attempt alike. Seeing
// the key, net/http by itself repeats a call once whose connection breaks before the answer, if the connection had been used
// before: it was most likely closed by the other side for idleness.
func newRequest(ctx context.Context, to Destination, run schemas.Run) (*http.Request, error) {
	address := strings.TrimRight(to.BaseURL, "/") + "/v1/workflows/" + url.PathEscape(run.Workflow) + "/trigger"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(run.Request))
	if err != nil || request.URL.Host == "" {
		return nil, errBaseURL
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", run.RunID)
	request.Header.Set("User-Agent", "millrace")
	if to.APIKey != "" {
		request.Header.Set("Authorization", "Bearer "+to.APIKey)
	}
	return request, nil
}

func isTimeout(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// explain leaves the address out of an error, because it may hold credentials.
func (c *caller) explain(ctx context.Context, err error) error {
	if isTimeout(ctx) {
		return fmt.Errorf("the workflow API did not answer within %s", c.timeout)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("calling the workflow API: %w", err)
}

// workflowRunID returns what the API called the run it started, or "" when it did not say.
func workflowRunID(body []byte) string {
	var room [8]jsonscan.Member
	members, _, err := jsonscan.AppendMembers(room[:0], body, schemas.MaxDepth)
	if err != nil {
		return ""
	}
	for _, member := range members {
		if value := member.Value; string(member.Name) == "workflow_run_id" && value[0] == '"' {
			return string(jsonscan.Unescape(value[1 : len(value)-1]))
		}
	}
	return ""
}
