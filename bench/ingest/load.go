package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/bench/load"
)

func readEvents(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the events: %w", err)
	}
	defer file.Close()
	bodies, err := load.ReadLines(file)
	if err == nil && len(bodies) == 0 {
		err = fmt.Errorf("%s holds no events", path)
	}
	return bodies, err
}

// post keeps connections busy for a while and returns how many requests were answered 204. Any other answer ends it.
// The client is as cheap as there is one, because it shares the machine with what it measures.
func post(ctx context.Context, address, path string, bodies [][]byte, connections int, length time.Duration) (int, error) {
	client := &fasthttp.HostClient{Addr: address, MaxConns: connections}
	defer client.CloseIdleConnections()
	var answered, next atomic.Int64
	deadline := time.Now().Add(length)
	group, ctx := errgroup.WithContext(ctx)
	for range connections {
		group.Go(func() error {
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(request)
			defer fasthttp.ReleaseResponse(response)
			request.SetRequestURI("http://" + address + path)
			request.Header.SetMethod(fasthttp.MethodPost)
			request.Header.SetContentType("application/json")
			for time.Now().Before(deadline) && ctx.Err() == nil {
				request.SetBodyRaw(bodies[int(next.Add(1))%len(bodies)])
				if err := client.Do(request, response); err != nil {
					return err
				}
				if response.StatusCode() != fasthttp.StatusNoContent {
					return fmt.Errorf("answered %d %s", response.StatusCode(), response.Body())
				}
				answered.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return int(answered.Load()), err
}
